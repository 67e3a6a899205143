import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { body } from "@/api/client";
import { useProjectScope } from "@/app/project";
import { useIntegrations } from "@/components/integration/queries";
import { useTokens } from "@/components/token/queries";

const LIMIT = 50;

export function useEntries(action: string | undefined) {
  const { projectId, api } = useProjectScope();
  return useInfiniteQuery({
    queryKey: [projectId, "audit-log", action],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam: cursor }) => body(api.GET("/v1/projects/{project_id}/audit-log", {
      params: { path: { project_id: projectId }, query: { limit: LIMIT, ...(action && { action }), ...(cursor && { cursor }) } },
    })),
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
}

/** What the ids in the log are called; who or what is gone by now goes by its id. */
export function useNames(): ReadonlyMap<string, string> {
  const { projectId, api } = useProjectScope();
  const members = useQuery({
    queryKey: [projectId, "members"],
    queryFn: () => body(api.GET("/v1/projects/{project_id}/members", { params: { path: { project_id: projectId } } })),
    select: (found) => found.members.map(({ id, name, email }) => ({ id, name: name || email })),
  });
  const tokens = useTokens();
  const integrations = useIntegrations();
  return useMemo(
    () => new Map([...(members.data ?? []), ...(tokens.data ?? []), ...(integrations.data ?? [])].map(({ id, name }) => [id, name])),
    [members.data, tokens.data, integrations.data],
  );
}
