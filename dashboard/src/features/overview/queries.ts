import { useQuery } from "@tanstack/react-query";

import { body } from "@/api/client";
import type { components } from "@/api/schema";
import { useProjectScope } from "@/app/project";

export type Statistics = components["schemas"]["Statistics"];
export type Counts = components["schemas"]["Counts"];
export type Range = Statistics["range"];

export const RANGES: Record<Range, string> = {
  "15m": "15 minutes", "1h": "hour", "6h": "6 hours", "24h": "24 hours", "7d": "7 days", "30d": "30 days",
};
export const USUAL: Range = "24h";

/** What the address bar says, or the usual where it says nothing that we know. */
export const rangeOf = (asked: string | undefined): Range => (asked && Object.hasOwn(RANGES, asked) ? (asked as Range) : USUAL);

/** Short ranges move while one looks at them. */
const EVERY_MS: Record<Range, number> = { "15m": 5_000, "1h": 5_000, "6h": 15_000, "24h": 15_000, "7d": 60_000, "30d": 60_000 };

export function useStatistics(range: Range) {
  const { projectId, mode, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, mode, "statistics", range],
    queryFn: () => body(api.GET("/v1/stats", { params: { query: { range } } })),
    refetchInterval: EVERY_MS[range],
    // Another range is drawn over the one before it; another project's figures are never shown for this one's.
    placeholderData: (before, asked) => (asked?.queryKey[0] === projectId && asked.queryKey[1] === mode ? before : undefined),
  });
}
