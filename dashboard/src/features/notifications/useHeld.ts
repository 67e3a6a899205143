/** A live list that does not jump under whoever reads it: what is new waits above until they come for it. */

import { useEffect, useState } from "react";

interface Listed<Item> {
  items: Item[];
  next: string | null;
}

const AT_TOP_PX = 120;

export function useHeld<Item extends { id: string }>(live: Listed<Item> | undefined, still: boolean) {
  const scrolled = useScrolled();
  const [kept, setKept] = useState<Listed<Item>>();
  const hold = still || scrolled;
  // What was shown when they began to read is kept; state that follows from what is drawn, so it is set while drawing.
  if (hold && !kept && live) setKept(live);
  if (!hold && kept) setKept(undefined);
  const shown = (hold ? kept : undefined) ?? live;
  const fresh = new Map(live?.items.map((each) => [each.id, each]));
  const known = new Set(shown?.items.map((each) => each.id));
  return {
    items: shown?.items.map((each) => fresh.get(each.id) ?? each),
    next: shown?.next ?? undefined,
    unseen: live?.items.filter((each) => !known.has(each.id)).length ?? 0,
    /** Show what is new, from the top. */
    catchUp: () => {
      setKept(live);
      window.scrollTo({ top: 0 });
    },
  };
}

function useScrolled(): boolean {
  const [scrolled, setScrolled] = useState(false);
  useEffect(() => {
    const look = () => setScrolled(window.scrollY > AT_TOP_PX);
    window.addEventListener("scroll", look, { passive: true });
    return () => window.removeEventListener("scroll", look);
  }, []);
  return scrolled;
}
