/** Telling that something was done. What shows it is fetched when there is something to tell: a first page has nothing. */

import { lazy, Suspense, useSyncExternalStore } from "react";

const Toasts = lazy(() => import("@/app/Toasts").then((loaded) => ({ default: loaded.Toasts })));

let wanted = false;
const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** It is kept until what shows it is there. */
export async function tell(message: string): Promise<void> {
  wanted = true;
  for (const each of listeners) each();
  const { show } = await import("@/app/Toasts");
  show(message);
}

export function Told() {
  return useSyncExternalStore(subscribe, () => wanted) ? <Suspense><Toasts /></Suspense> : null;
}
