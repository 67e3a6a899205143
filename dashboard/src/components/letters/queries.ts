import { useQuery } from "@tanstack/react-query";

import { body } from "@/api/client";
import type { components } from "@/api/schema";
import { useAct } from "@/app/act";
import { useProjectScope } from "@/app/project";

export type Letter = components["schemas"]["DeadLetter"];
export type Edit = components["schemas"]["EditRequest"];

/** All that a letter's redrive or discard changes: its lists, its groups, its notification. */
export function useLetterChanges(letter?: Letter) {
  const { projectId, mode, api } = useProjectScope();
  const one = letter ? [[projectId, mode, "notification", letter.notification_id]] : [];
  return { api, changes: [[projectId, mode, "dead-letters"], [projectId, mode, "notifications"], ...one] };
}

export function useRedrive(letter: Letter, then: () => void) {
  const { api, changes } = useLetterChanges(letter);
  const params = { path: { dead_letter_id: letter.id } };
  const does = (edit: Edit | undefined) =>
    body(api.POST("/v1/dead-letters/{dead_letter_id}/redrive", { params, ...(edit && { body: edit }) }));
  return useAct({ does, changes, told: "It is on its way again", then });
}

/** What its channel shows now, for whoever wants to change it. */
export function useContentOf(letter: Letter, wanted: boolean) {
  const { projectId, mode, api } = useProjectScope();
  const path = { notification_id: letter.notification_id };
  return useQuery({
    queryKey: [projectId, mode, "notification", letter.notification_id],
    queryFn: () => body(api.GET("/v1/notifications/{notification_id}", { params: { path } })),
    select: (found) => found.deliveries.find((each) => each.id === letter.delivery_id)?.content,
    enabled: wanted,
  });
}
