import { QueryClient } from "@tanstack/react-query";

import { ApiProblem } from "@/api/problem";

/** What a second try may mend: nothing that the API refused for a reason. */
const worthAnotherTry = (error: unknown): boolean =>
  !(error instanceof ApiProblem) || error.status === 0 || error.status === 429 || error.status >= 500;

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && worthAnotherTry(error),
      refetchOnWindowFocus: true,
    },
  },
});
