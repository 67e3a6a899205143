import { useQuery } from "@tanstack/react-query";

import { body } from "@/api/client";
import type { components } from "@/api/schema";
import { useAct } from "@/app/act";
import { useProjectScope } from "@/app/project";
import type { FirstRequest } from "@/features/start/draft";

export type Notification = components["schemas"]["Notification"];
export type Watched = components["schemas"]["NotificationWithTimeline"];

const WAITING = new Set<string>(["scheduled", "queued", "sending", "retrying"]);

export function isUnderWay(notification: Pick<Notification, "status">): boolean {
  return WAITING.has(notification.status);
}

/** Whether anything was sent in this mode before. */
export function useSentBefore() {
  const { projectId, mode, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, mode, "notifications", "any"],
    queryFn: () => body(api.GET("/v1/notifications", { params: { query: { limit: 1 } } })),
    select: (page) => page.notifications.length > 0,
  });
}

export function useSend(then: (sent: Notification) => void) {
  const { projectId, mode, api } = useProjectScope();
  return useAct({
    does: (wanted: FirstRequest) => body(api.POST("/v1/notifications", { body: wanted })) as Promise<Notification>,
    changes: [[projectId, mode, "notifications"]],
    then,
  });
}

/** One notification, asked for every second until nothing more is to happen. */
export function useWatched(id: string) {
  const { projectId, mode, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, mode, "notifications", id, "watched"],
    queryFn: () => body(api.GET("/v1/notifications/{notification_id}", { params: { path: { notification_id: id } } })) as Promise<Watched>,
    refetchInterval: ({ state }) => (state.data && !isUnderWay(state.data) ? false : 1_000),
  });
}
