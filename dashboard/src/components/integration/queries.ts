import { useQuery } from "@tanstack/react-query";

import { body } from "@/api/client";
import type { components } from "@/api/schema";
import { useAct } from "@/app/act";
import { useProjectScope } from "@/app/project";

export type Integration = components["schemas"]["Integration"];
export type Channel = components["schemas"]["Channel"];
export type NewIntegration = components["schemas"]["IntegrationRequest"];
export type Change = components["schemas"]["IntegrationPatch"];

export const CHANNELS: Channel[] = ["slack", "email", "whatsapp"];

/** Also asked by itself now and then: a provider may refuse a credential at any time, and then an integration is held. */
export function useIntegrations() {
  const { projectId, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, "integrations"],
    queryFn: () => body(api.GET("/v1/projects/{project_id}/integrations", { params: { path: { project_id: projectId } } })),
    select: (found) => found.integrations,
    refetchInterval: 30_000,
  });
}

export function useAddIntegration(then: (made: Integration) => void) {
  const { projectId, api } = useProjectScope();
  const params = { path: { project_id: projectId } };
  return useAct({
    does: (wanted: NewIntegration) => body(api.POST("/v1/projects/{project_id}/integrations", { params, body: wanted })) as Promise<Integration>,
    changes: [[projectId, "integrations"]],
    told: (made) => `${made.name} is added`,
    then,
  });
}

export function useChangeIntegration(id: string, told: string, then?: (changed: Integration) => void) {
  const { projectId, api } = useProjectScope();
  const params = { path: { project_id: projectId, integration_id: id } };
  return useAct({
    does: (change: Change) =>
      body(api.PATCH("/v1/projects/{project_id}/integrations/{integration_id}", { params, body: change })) as Promise<Integration>,
    changes: [[projectId, "integrations"]],
    told,
    ...(then && { then }),
  });
}
