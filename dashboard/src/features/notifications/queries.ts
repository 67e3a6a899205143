import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { body } from "@/api/client";
import type { components, operations } from "@/api/schema";
import { useAct } from "@/app/act";
import { useMay, useProjectScope } from "@/app/project";
import type { Filters } from "@/app/router";

export type Notification = components["schemas"]["Notification"];
export type Whole = components["schemas"]["NotificationWithTimeline"];
export type Delivery = components["schemas"]["DeliveryWithContent"];
export type Attempt = components["schemas"]["Attempt"];
export type Step = components["schemas"]["TimelineStep"];
type Query = NonNullable<operations["listNotifications"]["parameters"]["query"]>;

export const PAGE = 50;
const LIVE_MS = 2_000;
const PATIENT_MS = 15_000;

/** The newest, asked for again and again while somebody looks. */
export function useNewest(filters: Filters, paused: boolean) {
  const { projectId, mode, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, mode, "notifications", filters],
    queryFn: () => body(api.GET("/v1/notifications", { params: { query: { ...asked(filters), limit: PAGE } } })),
    refetchInterval: paused ? false : LIVE_MS,
  });
}

/** What came before, page by page from where the newest end. */
export function useOlder(filters: Filters, from: string | undefined) {
  const { projectId, mode, api } = useProjectScope();
  return useInfiniteQuery({
    queryKey: [projectId, mode, "notifications", filters, "older", from],
    queryFn: ({ pageParam }) =>
      body(api.GET("/v1/notifications", { params: { query: { ...asked(filters), limit: PAGE, cursor: pageParam } } })),
    initialPageParam: from ?? "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    enabled: from !== undefined,
    staleTime: Infinity,
  });
}

/** (The API says what is wrong with a filter that somebody wrote into the address.) */
const asked = (filters: Filters): Query => filters as Query;

export function useNotification(id: string) {
  const { projectId, mode, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, mode, "notification", id],
    queryFn: () => body(api.GET("/v1/notifications/{notification_id}", { params: { path: { notification_id: id } } })),
    refetchInterval: ({ state }) => (state.data ? pace(state.data) : LIVE_MS),
  });
}

const MOVING = new Set(["queued", "sending", "retrying"]);

/** How soon to look again: what ended stays as it is, what is due later changes later. */
function pace(seen: Whole): number | false {
  const soon = seen.deliveries.some(
    (each) => MOVING.has(each.status) || (each.status === "scheduled" && Date.parse(each.due_at) - Date.now() < 60_000),
  );
  if (soon) return LIVE_MS;
  return seen.deliveries.some((each) => each.status === "scheduled" || each.status === "held") ? PATIENT_MS : false;
}

/** The open dead letters of one notification, by delivery; asked for where one of its deliveries ended badly. */
export function useLettersOf(seen: Whole) {
  const { projectId, mode, api } = useProjectScope();
  const may = useMay()("dead_letters:read");
  const ended = seen.deliveries.some((each) => ["failed", "unknown", "undelivered"].includes(each.status));
  const query = { notification: seen.id, status: "open" as const };
  return useQuery({
    queryKey: [projectId, mode, "dead-letters", "of", seen.id],
    queryFn: () => body(api.GET("/v1/dead-letters", { params: { query } })),
    select: (found) => new Map(found.dead_letters.map((each) => [each.delivery_id, each])),
    enabled: may && ended,
    // The letter follows its delivery's end by a moment.
    refetchInterval: ({ state }) => (state.data?.dead_letters.length ? false : PATIENT_MS),
  });
}

function useChanges(id: string) {
  const { projectId, mode, api } = useProjectScope();
  const params = { path: { notification_id: id } };
  return { api, params, changes: [[projectId, mode, "notification", id], [projectId, mode, "notifications"]] };
}

export function useCancel(id: string, then: () => void) {
  const { api, params, changes } = useChanges(id);
  const does = () => body(api.POST("/v1/notifications/{notification_id}/cancel", { params }));
  return useAct({ does, changes, told: "Cancelled what had not begun", then });
}

export function useMove(id: string, then: () => void) {
  const { api, params, changes } = useChanges(id);
  const does = (send_at: string) => body(api.PATCH("/v1/notifications/{notification_id}", { params, body: { send_at } }));
  return useAct({ does, changes, told: "Moved to its new time", then });
}

/** The key is made when the question is asked: a second click, or a lost answer, sends nothing twice. */
export function useSendAgain(id: string, key: string, then: (made: Notification | undefined) => void) {
  const { api, params, changes } = useChanges(id);
  const header = { "Idempotency-Key": key };
  const does = () => body(api.POST("/v1/notifications/{notification_id}/send-again", { params: { ...params, header } }));
  return useAct({ does, changes, told: "Sent again, as a new notification", then });
}
