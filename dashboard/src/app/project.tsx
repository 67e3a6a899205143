/** The project that the address bar names, what one may do in it, and a client for it. */

import { useQuery } from "@tanstack/react-query";
import { useParams, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";

import { type Api, apiFor, body, type Mode } from "@/api/client";
import type { components } from "@/api/schema";
import { useSession } from "@/session/context";

export type Project = components["schemas"]["ProjectWithPermissions"];
export type Permission = components["schemas"]["Permission"];

export interface ProjectScope {
  projectId: string;
  mode: Mode;
  api: Api;
}

/** Inside of /p/$projectId: its client. Queries begin their keys with `[projectId, mode, ...]`. */
export function useProjectScope(): ProjectScope {
  const session = useSession();
  const { projectId } = useParams({ from: "/inside/p/$projectId" });
  const { mode = "live" } = useSearch({ from: "/inside/p/$projectId" });
  return useMemo(() => ({ projectId, mode, api: apiFor(session, { projectId, mode }) }), [session, projectId, mode]);
}

export function useProject() {
  const { projectId, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, "project"],
    queryFn: () => body(api.GET("/v1/projects/{project_id}", { params: { path: { project_id: projectId } } })),
    staleTime: 60_000,
  });
}

/** Whether the person may do something here: what they may not do is not offered, or says why. */
export function useMay(): (permission: Permission) => boolean {
  const { data } = useProject();
  return (permission) => data?.permissions.includes(permission) ?? false;
}
