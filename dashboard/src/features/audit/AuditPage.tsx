import "@mantine/core/styles/Code.css";

import { Badge, Button, Code, Group, Select, Stack, Text, Tooltip } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import type { components } from "@/api/schema";
import { useMay, useProject, useProjectScope } from "@/app/project";
import { Page } from "@/components/Page";
import { Empty, Loading, Problem } from "@/components/States";
import { Time } from "@/components/Time";
import classes from "@/features/audit/audit.module.css";
import { useEntries, useNames } from "@/features/audit/queries";
import { ACTIONS, sentence } from "@/features/audit/sentences";

type Entry = components["schemas"]["AuditEntry"];

export function AuditPage() {
  const project = useProject();
  const may = useMay()("audit:read");
  return (
    <Page title="Audit log" about="Who did what in this project, newest first. Nothing here can be changed or removed.">
      {project.isSuccess && !may
        ? <Empty title="Admins and owners see the audit log">Your role in this project does not show it. Ask an admin or owner for another role.</Empty>
        : <Log />}
    </Page>
  );
}

function Log() {
  const { action } = useSearch({ from: "/inside/p/$projectId/audit-log" });
  const entries = useEntries(action);
  const names = useNames();
  const found = entries.data?.pages.flatMap((page) => page.entries) ?? [];
  return (
    <Stack>
      <Filter action={action} />
      {entries.isPending && <Loading label="Loading the audit log" />}
      {entries.isError && <Problem error={entries.error} again={() => void entries.refetch()} />}
      {entries.isSuccess && found.length === 0 && (
        <Empty title="Nothing here">{action ? "Nobody did that in this project. Choose another action, or all." : "What people change in this project stands here from now on."}</Empty>
      )}
      <ul className={classes.log} aria-label="Entries">{found.map((each) => <li key={each.id}><Row entry={each} names={names} /></li>)}</ul>
      {entries.hasNextPage && (
        <Button variant="default" loading={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>Load more</Button>
      )}
    </Stack>
  );
}

function Filter({ action }: { action: string | undefined }) {
  const navigate = useNavigate();
  return (
    <Select
      label="Action" placeholder="All actions" data={ACTIONS} value={action ?? null} clearable searchable maw={320}
      clearButtonProps={{ "aria-label": "All actions" }}
      onChange={(value) => void navigate({ to: ".", search: (before) => ({ ...before, action: value ?? undefined }) as never, replace: true })}
    />
  );
}

function Row({ entry, names }: { entry: Entry; names: ReadonlyMap<string, string> }) {
  const { projectId } = useProjectScope();
  return (
    <Group justify="space-between" wrap="nowrap" align="baseline" gap="md">
      <Stack gap={2} miw={0}>
        <Text size="sm" className="address">
          <Text span fw={600} inherit>{entry.actor.name || entry.actor.kind}</Text>
          {entry.actor.kind !== "user" && <Badge mx={6} size="sm" color="gray" variant="light" tt="none">{entry.actor.kind}</Badge>}
          {" "}{sentence(entry, names)}
        </Text>
        <Group gap="xs">
          <Code fz="xs">{entry.action}</Code>
          {entry.target.startsWith("ntf_") && (
            <Link className={classes.target} to="/p/$projectId/notifications/$notificationId" params={{ projectId, notificationId: entry.target }}>Open the notification</Link>
          )}
          <Tooltip label="The id of the request, as logs have it"><Text size="xs" c="dimmed" className="address" visibleFrom="sm">{entry.request_id}</Text></Tooltip>
        </Group>
      </Stack>
      <Text size="sm" c="dimmed" className={classes.at}><Time at={entry.at} /></Text>
    </Group>
  );
}
