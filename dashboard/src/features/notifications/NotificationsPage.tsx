import { Anchor, Button, Center, Group, Kbd, Text } from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useRef, useState } from "react";

import { useProjectScope } from "@/app/project";
import { type Filters, FILTERS } from "@/app/router";
import { Page } from "@/components/Page";
import { Empty, Loading, Problem } from "@/components/States";
import { FilterBar } from "@/features/notifications/FilterBar";
import styles from "@/features/notifications/list.module.css";
import { PAGE, useNewest, useOlder } from "@/features/notifications/queries";
import { Row } from "@/features/notifications/Row";
import { useHeld } from "@/features/notifications/useHeld";

export function NotificationsPage() {
  const { projectId, mode } = useProjectScope();
  const navigate = useNavigate();
  const search = useSearch({ from: "/inside/p/$projectId/notifications" });
  const filters: Filters = Object.fromEntries(FILTERS.flatMap((name) => (search[name] ? [[name, search[name]]] : [])));
  const [paused, setPaused] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const kept = mode === "test" ? { mode } : {};
  useHotkeys([["/", () => input.current?.focus()]]);
  return (
    <Page title="Notifications" about={<Pulse paused={paused} />}>
      <FilterBar
        filters={filters} paused={paused} onPause={() => setPaused((was) => !was)} search={input}
        onChange={(next) => void navigate({ to: "/p/$projectId/notifications", params: { projectId }, search: { ...next, ...kept } })}
        onId={(notificationId) => void navigate({ to: "/p/$projectId/notifications/$notificationId", params: { projectId, notificationId }, search: kept })}
      />
      <List key={JSON.stringify([filters, mode])} filters={filters} paused={paused} />
    </Page>
  );
}

function Pulse({ paused }: { paused: boolean }) {
  return (
    <span>
      {paused ? "Paused: nothing moves until you resume." : "Live, newest first."}{" "}
      <Text span inherit visibleFrom="sm"><Kbd size="xs">j</Kbd> <Kbd size="xs">k</Kbd> move, <Kbd size="xs">Enter</Kbd> opens, <Kbd size="xs">/</Kbd> finds.</Text>
    </span>
  );
}

function List({ filters, paused }: { filters: Filters; paused: boolean }) {
  const newest = useNewest(filters, paused);
  const [from, setFrom] = useState<string>();
  const older = useOlder(filters, from);
  const live = newest.data && { items: newest.data.notifications, next: newest.data.next_cursor };
  const held = useHeld(live, paused || from !== undefined);
  const list = useRef<HTMLUListElement>(null);
  useHotkeys([
    ["j", () => step(list.current, 1)], ["k", () => step(list.current, -1)],
    ["ArrowDown", () => step(list.current, 1)], ["ArrowUp", () => step(list.current, -1)],
  ]);
  if (newest.isPending) return <Loading rows={10} label="Loading notifications" />;
  if (newest.isError && !held.items) return <Problem error={newest.error} again={() => void newest.refetch()} />;
  const before = older.data?.pages.flatMap((each) => each.notifications) ?? [];
  // (A page that is not full and not the last: the API looked as far as one request may.)
  const last = older.data?.pages.at(-1)?.notifications ?? held.items ?? [];
  const items = [...(held.items ?? []), ...before];
  const more = from === undefined ? held.next : older.hasNextPage;
  const goOn = () => (from === undefined ? setFrom(held.next) : void older.fetchNextPage());
  return (
    <>
      {newest.isError && <Problem error={newest.error} again={() => void newest.refetch()} />}
      {held.unseen > 0 && <Unseen count={held.unseen} onShow={() => { setFrom(undefined); held.catchUp(); }} />}
      {items.length > 0 && (
        <div>
          <div className={styles.head} aria-hidden>
            <span>Status</span><span>To</span><span>Content</span><span>Channels</span><span className={styles.end}>Accepted</span>
          </div>
          <ul className={styles.list} ref={list} aria-label="Notifications">
            {items.map((each) => <li key={each.id} className={styles.item}><Row of={each} /></li>)}
          </ul>
        </div>
      )}
      {items.length === 0 && !more && <Nothing filtered={Object.keys(filters).length > 0} />}
      {older.isError && <Problem error={older.error} again={() => void older.fetchNextPage()} />}
      {more && (
        <Center>
          <Group gap="sm" justify="center">
            {last.length < PAGE && <Text size="sm" c="dimmed">{items.length ? "No more" : "None"} among the ten thousand looked at so far.</Text>}
            <Button variant="default" loading={older.isFetching} onClick={goOn}>{items.length ? "Show older" : "Look further back"}</Button>
          </Group>
        </Center>
      )}
    </>
  );
}

/** What came while somebody was reading. It waits, and says so. */
function Unseen({ count, onShow }: { count: number; onShow: () => void }) {
  return (
    <Center pos="sticky" top={64} style={{ zIndex: 2 }}>
      <Button size="compact-sm" radius="xl" onClick={onShow} aria-live="polite">{count >= PAGE ? `${PAGE}+` : count} new ↑</Button>
    </Center>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const { projectId, mode } = useProjectScope();
  const search = mode === "test" ? { mode } : {};
  const link = (to: "/p/$projectId/notifications" | "/p/$projectId/start", label: string) => (
    <Anchor renderRoot={(props) => <Link to={to} params={{ projectId }} search={search} {...props} />}>{label}</Anchor>
  );
  if (filtered) return <Empty title="Nothing is like this" action={link("/p/$projectId/notifications", "Show all notifications")}>No notification matches all of these filters. An address, a tag and a reference match exactly, capitals included.</Empty>;
  return (
    <Empty title={mode === "test" ? "No test notifications yet" : "No notifications yet"} action={link("/p/$projectId/start", "Send a first one")}>
      What your servers send with {mode === "test" ? "test" : "live"} tokens appears here within two seconds.
    </Empty>
  );
}

/** The focus is the place: Enter opens it as it opens any link. */
function step(list: HTMLUListElement | null, by: number): void {
  const rows = [...(list?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
  const at = rows.findIndex((each) => each === document.activeElement);
  const next = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
