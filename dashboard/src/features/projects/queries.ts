import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { apiFor, body } from "@/api/client";
import type { components } from "@/api/schema";
import { useAct } from "@/app/act";
import { useSession } from "@/session/context";

export type ProjectOfMember = components["schemas"]["ProjectOfMember"];

const KEY = ["projects"];

function useApi() {
  const session = useSession();
  return useMemo(() => apiFor(session), [session]);
}

export function useProjects() {
  const api = useApi();
  return useQuery({ queryKey: KEY, queryFn: () => body(api.GET("/v1/projects")) });
}

export function useCreateProject(then: (made: ProjectOfMember) => void) {
  const api = useApi();
  return useAct({ does: (name: string) => body(api.POST("/v1/projects", { body: { name } })), changes: [KEY], then });
}
