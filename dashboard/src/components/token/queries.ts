import { useQuery } from "@tanstack/react-query";

import { body } from "@/api/client";
import type { components } from "@/api/schema";
import { useAct } from "@/app/act";
import { useProjectScope } from "@/app/project";

export type ApiToken = components["schemas"]["ApiToken"];
export type CreatedApiToken = components["schemas"]["CreatedApiToken"];
export type TokenRequest = components["schemas"]["TokenRequest"];
export type Scope = components["schemas"]["Scope"];

export function useTokens() {
  const { projectId, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, "tokens"],
    queryFn: () => body(api.GET("/v1/projects/{project_id}/tokens", { params: { path: { project_id: projectId } } })),
    select: (found) => found.tokens,
  });
}

export function useCreateToken() {
  const { projectId, api } = useProjectScope();
  const params = { path: { project_id: projectId } };
  return useAct({
    does: (wanted: TokenRequest) => body(api.POST("/v1/projects/{project_id}/tokens", { params, body: wanted })) as Promise<CreatedApiToken>,
    changes: [[projectId, "tokens"]],
  });
}

export type Standing = "active" | "expired" | "revoked";

export function standingOf(token: ApiToken, now: number): Standing {
  if (token.revoked_at) return "revoked";
  return token.expires_at && Date.parse(token.expires_at) <= now ? "expired" : "active";
}
