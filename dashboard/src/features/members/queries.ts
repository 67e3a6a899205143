import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { apiFor, body } from "@/api/client";
import type { components } from "@/api/schema";
import { useAct } from "@/app/act";
import { useProjectScope } from "@/app/project";
import { useSession } from "@/session/context";

export type Member = components["schemas"]["Member"];
export type Invitation = components["schemas"]["Invitation"];
export type CreatedInvitation = components["schemas"]["CreatedInvitation"];
export type Role = components["schemas"]["Role"];

export function useMembers() {
  const { projectId, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, "members"],
    queryFn: () => body(api.GET("/v1/projects/{project_id}/members", { params: { path: { project_id: projectId } } })),
    select: (found) => found.members,
  });
}

export function useInvitations() {
  const { projectId, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, "invitations"],
    queryFn: () => body(api.GET("/v1/projects/{project_id}/invitations", { params: { path: { project_id: projectId } } })),
    select: (found) => found.invitations,
  });
}

export function useChangeRole() {
  const { projectId, api } = useProjectScope();
  return useAct({
    does: ({ member, role }: { member: Member; role: Role }) =>
      body(api.PATCH("/v1/projects/{project_id}/members/{user_id}", { params: { path: { project_id: projectId, user_id: member.id } }, body: { role } })),
    // (one's own role may be the one that changed)
    changes: [[projectId, "members"], [projectId, "project"]],
    told: (_, { member, role }) => `${member.name || member.email} is ${role} now`,
  });
}

export function useRemoveMember(member: Member, then: () => void) {
  const { projectId, api } = useProjectScope();
  const params = { path: { project_id: projectId, user_id: member.id } };
  return useAct({
    does: () => body(api.DELETE("/v1/projects/{project_id}/members/{user_id}", { params })),
    changes: [[projectId, "members"]],
    told: `${member.name || member.email} is no member any more`,
    then,
  });
}

export function useLeave(then: () => void) {
  const { projectId, api } = useProjectScope();
  return useAct({
    does: () => body(api.POST("/v1/projects/{project_id}/leave", { params: { path: { project_id: projectId } } })),
    changes: [["projects"]],
    told: "You have left the project",
    then,
  });
}

export function useInvite() {
  const { projectId, api } = useProjectScope();
  const params = { path: { project_id: projectId } };
  return useAct({
    does: (wanted: { role: Role; email?: string }) =>
      body(api.POST("/v1/projects/{project_id}/invitations", { params, body: wanted })) as Promise<CreatedInvitation>,
    changes: [[projectId, "invitations"]],
  });
}

export function useRevokeInvitation(invitation: Invitation, then: () => void) {
  const { projectId, api } = useProjectScope();
  const params = { path: { project_id: projectId, invitation_id: invitation.id } };
  return useAct({
    does: () => body(api.DELETE("/v1/projects/{project_id}/invitations/{invitation_id}", { params })),
    changes: [[projectId, "invitations"]],
    told: "The invitation is closed",
    then,
  });
}

export function useAccept(then: (joined: components["schemas"]["ProjectOfMember"]) => void) {
  const session = useSession();
  const api = useMemo(() => apiFor(session), [session]);
  return useAct({
    does: (token: string) => body(api.POST("/v1/invitations/accept", { body: { token } })) as Promise<components["schemas"]["ProjectOfMember"]>,
    changes: [["projects"]],
    told: (joined) => `You are in ${joined.name} now, as ${joined.role}`,
    then,
  });
}
