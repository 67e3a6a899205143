/** Something that is done: what it changes is asked for again, and success is told in a word. */

import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";

import { tell } from "@/app/told";

interface Acting<Wanted, Done> {
  does: (wanted: Wanted) => Promise<Done>;
  changes?: QueryKey[];
  told?: string | ((done: Done, wanted: Wanted) => string);
  then?: (done: Done, wanted: Wanted) => void;
}

/** Its error is for whoever calls to show, beside the field or the button that it belongs to. */
export function useAct<Wanted = void, Done = unknown>({ does, changes = [], told, then }: Acting<Wanted, Done>) {
  const queries = useQueryClient();
  return useMutation<Done, Error, Wanted>({
    mutationFn: does,
    onSuccess: async (done, wanted) => {
      then?.(done, wanted);
      const message = typeof told === "function" ? told(done, wanted) : told;
      if (message) void tell(message);
      await Promise.all(changes.map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
}
