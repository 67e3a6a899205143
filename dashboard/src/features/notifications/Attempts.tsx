import "@mantine/core/styles/Table.css";
import "@mantine/core/styles/Code.css";

import { Code, Group, Stack, Table, Text } from "@mantine/core";

import { Copyable } from "@/components/Copy";
import { duration } from "@/components/Time";
import { OutcomeBadge } from "@/features/notifications/OutcomeBadge";
import type { Attempt } from "@/features/notifications/queries";

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });

/** Each try: what was asked, what came back, what was decided. Headers and content are never kept. */
export function Attempts({ of }: { of: Attempt[] }) {
  if (of.length === 0) return <Text size="sm" c="dimmed">Not tried yet.</Text>;
  return (
    <Table verticalSpacing={6} highlightOnHover={false} layout="auto" aria-label="Attempts">
      <Table.Thead>
        <Table.Tr>
          <Table.Th w={32}>#</Table.Th>
          <Table.Th visibleFrom="sm">Asked</Table.Th>
          <Table.Th>Answer</Table.Th>
          <Table.Th visibleFrom="sm">Then</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>{of.map((each) => <Row key={each.attempt_no} of={each} />)}</Table.Tbody>
    </Table>
  );
}

function Row({ of }: { of: Attempt }) {
  return (
    <Table.Tr style={{ verticalAlign: "top" }}>
      <Table.Td>{of.attempt_no}</Table.Td>
      <Table.Td visibleFrom="sm"><Asked of={of} /></Table.Td>
      <Table.Td>
        <Stack gap={4}>
          <Group hiddenFrom="sm" gap={4}><Asked of={of} /></Group>
          <Answered of={of} />
          <Text size="xs" c="dimmed" hiddenFrom="sm">{then(of)}</Text>
        </Stack>
      </Table.Td>
      <Table.Td visibleFrom="sm"><Text size="sm">{then(of)}</Text></Table.Td>
    </Table.Tr>
  );
}

function Asked({ of }: { of: Attempt }) {
  const at = <Text span size="xs" c="dimmed">{clock.format(new Date(of.started_at))}</Text>;
  if (!of.exchange) return at;
  return <Stack gap={0}><Code>{of.exchange.method} {of.exchange.path}</Code>{at}</Stack>;
}

function Answered({ of }: { of: Attempt }) {
  if (!of.outcome) return <Text size="sm" c="dimmed">No outcome yet</Text>;
  const { http_status: status, provider_code: code, duration_ms: took } = of.exchange ?? {};
  const facts = [status ? `HTTP ${status}` : of.exchange && "no answer", code, took !== undefined && `in ${duration(took)}`];
  return (
    <Stack gap={4}>
      <Group gap={6}><OutcomeBadge outcome={of.outcome} /><Text span size="xs" c="dimmed">{facts.filter(Boolean).join(" · ")}</Text></Group>
      {of.reason && <Text size="sm" className="address">{of.reason}</Text>}
      {of.provider_message_id && <Copyable value={of.provider_message_id} label="the provider's message id" />}
    </Stack>
  );
}

function then(of: Attempt): string {
  const at = of.next_at ? ` at ${clock.format(new Date(of.next_at))}` : "";
  switch (of.decision) {
    case "done": return "Done";
    case "retry": return `Try again${at}`;
    case "park": return `Wait, try again${at}; no attempt spent`;
    case "hold": return "Held until the integration is mended";
    case "give_up": return "Given up: a dead letter";
    case "leave_unknown": return "Left as unknown: a dead letter";
    default: return "";
  }
}
