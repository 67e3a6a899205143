/**
 * A whole group sent again, a few seconds' worth at a time: each request lays its letters out at the wished pace, and the
 * next one goes when those are due. So it can be watched and stopped, and stops by itself when the page is left.
 */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { type Api, body } from "@/api/client";
import { useProjectScope } from "@/app/project";
import { useLetterChanges } from "@/components/letters/queries";

export interface Wanted {
  fingerprint: string;
  limit: number;
  perSecond: number;
  skipExpired: boolean;
}

export interface Progress {
  state: "idle" | "running" | "done" | "stopped" | "failed";
  redriven: number;
  of: number;
  error?: unknown;
}

const STRIDE_S = 5;
const MOST_AT_ONCE = 1_000;
const IDLE: Progress = { state: "idle", redriven: 0, of: 0 };

export function useRedriveGroup() {
  const { api } = useProjectScope();
  const { changes } = useLetterChanges();
  const queries = useQueryClient();
  const [progress, setProgress] = useState<Progress>(IDLE);
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const start = async (wanted: Wanted) => {
    const stopping = new AbortController();
    running.current = stopping;
    let redriven = 0;
    const tell = (state: Progress["state"], error?: unknown) => setProgress({ state, redriven, of: wanted.limit, error });
    tell("running");
    try {
      for await (const each of strides(api, wanted, stopping.signal)) {
        redriven += each;
        tell("running");
        await Promise.all(changes.map((queryKey) => queries.invalidateQueries({ queryKey })));
      }
      tell(stopping.signal.aborted ? "stopped" : "done");
    } catch (error) {
      tell("failed", error);
    }
  };
  return { progress, start, stop: () => running.current?.abort(), reset: () => setProgress(IDLE) };
}

/** How many each request sent again. What fails once more meanwhile is left for another time. */
async function* strides(api: Api, { fingerprint, limit, perSecond, skipExpired }: Wanted, signal: AbortSignal) {
  const created_before = new Date().toISOString();
  let left = limit;
  while (left > 0 && !signal.aborted) {
    const max = Math.min(left, MOST_AT_ONCE, Math.max(1, Math.round(perSecond * STRIDE_S)));
    const asked = { fingerprint, created_before, max, per_second: perSecond, skip_expired: skipExpired };
    const { redriven } = await body(api.POST("/v1/dead-letters/redrive", { body: asked }));
    left -= redriven;
    yield redriven;
    if (redriven < max) return;
    if (left > 0) await pause((redriven / perSecond) * 1_000, signal);
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((go) => {
    const timer = setTimeout(go, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); go(); }, { once: true });
  });
}
