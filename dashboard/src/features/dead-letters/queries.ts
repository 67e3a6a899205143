import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { body } from "@/api/client";
import type { components } from "@/api/schema";
import { useAct } from "@/app/act";
import { useProjectScope } from "@/app/project";
import { type Letter, useLetterChanges } from "@/components/letters/queries";

export type { Letter };
export type LetterGroup = components["schemas"]["DeadLetterGroup"];
export type Preview = components["schemas"]["RedrivePreview"];
export type Standing = components["schemas"]["Standing"];

/** What one request may discard at most. */
export const MOST = 1_000;
const CALM_MS = 5_000;

export function useGroups() {
  const { projectId, mode, api } = useProjectScope();
  return useInfiniteQuery({
    queryKey: [projectId, mode, "dead-letters", "groups"],
    queryFn: ({ pageParam }) =>
      body(api.GET("/v1/dead-letters/groups", { params: { query: { limit: 100, ...(pageParam && { cursor: pageParam }) } } })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((each) => each.groups),
    refetchInterval: CALM_MS,
  });
}

export function useLetters(fingerprint: string, status: Standing | undefined) {
  const { projectId, mode, api } = useProjectScope();
  return useInfiniteQuery({
    queryKey: [projectId, mode, "dead-letters", "letters", fingerprint, status],
    queryFn: ({ pageParam }) => {
      const query = { fingerprint, limit: 50, ...(status && { status }), ...(pageParam && { cursor: pageParam }) };
      return body(api.GET("/v1/dead-letters", { params: { query } }));
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    select: ({ pages }) => pages.flatMap((each) => each.dead_letters),
    refetchInterval: CALM_MS,
  });
}

/** What a redrive of all of them would do at this moment; nothing is changed by asking. */
export function usePreview(fingerprint: string) {
  const { projectId, mode, api } = useProjectScope();
  return useQuery({
    queryKey: [projectId, mode, "dead-letters", "preview", fingerprint],
    queryFn: () => body(api.POST("/v1/dead-letters/redrive/preview", { body: { fingerprint } })),
    staleTime: 0,
  });
}

export function useDiscardOne(letter: Letter, then: () => void) {
  const { api, changes } = useLetterChanges(letter);
  const params = { path: { dead_letter_id: letter.id } };
  const does = (reason: string) => body(api.POST("/v1/dead-letters/{dead_letter_id}/discard", { params, body: { reason } }));
  return useAct({ does, changes, told: "Discarded", then });
}

export function useDiscardGroup(fingerprint: string, then: () => void) {
  const { api, changes } = useLetterChanges();
  return useAct({
    does: (reason: string) => body(api.POST("/v1/dead-letters/discard", { body: { fingerprint, reason, max: MOST } })),
    changes,
    told: (done) => `${done.discarded} discarded${done.remaining ? `, ${done.remaining} still open: discard again for the rest` : ""}`,
    then,
  });
}
