import "@mantine/core/styles/Card.css";
import "@mantine/core/styles/Grid.css";
import "@mantine/core/styles/Code.css";

import { Alert, Anchor, Badge, Card, Code, Grid, Group, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";

import { useMay, useProjectScope } from "@/app/project";
import { channelName, StatusBadge } from "@/components/badges";
import { Copyable } from "@/components/Copy";
import { GuardedButton } from "@/components/GuardedButton";
import { type Letter, RedriveLetter } from "@/components/letters/RedriveLetter";
import { Page } from "@/components/Page";
import { Loading, Problem } from "@/components/States";
import { Time } from "@/components/Time";
import { Actions } from "@/features/notifications/Actions";
import { Attempts } from "@/features/notifications/Attempts";
import { Preview } from "@/features/notifications/Preview";
import { type Delivery, useLettersOf, useNotification, type Whole } from "@/features/notifications/queries";
import { Timeline } from "@/features/notifications/Timeline";
import { gist } from "@/features/notifications/words";

export function NotificationPage() {
  const { notificationId } = useParams({ from: "/inside/p/$projectId/notifications/$notificationId" });
  const { projectId, mode } = useProjectScope();
  const asked = useNotification(notificationId);
  const back = (
    <Anchor size="sm" renderRoot={(props) => <Link to="/p/$projectId/notifications" params={{ projectId }} search={mode === "test" ? { mode } : {}} {...props} />}>
      ← Notifications
    </Anchor>
  );
  if (asked.data) return <><div style={{ marginBottom: 8 }}>{back}</div><Shown of={asked.data} /></>;
  return (
    <Page title="Notification" about={back}>
      {asked.isError ? <Problem error={asked.error} again={() => void asked.refetch()} /> : <Loading rows={8} label="Loading the notification" />}
    </Page>
  );
}

function Shown({ of }: { of: Whole }) {
  const letters = useLettersOf(of);
  const about = <Group gap="xs" component="span"><StatusBadge status={of.status} /><Copyable value={of.id} label="the notification's id" /></Group>;
  return (
    <Page title={gist(of.content)} about={about} actions={<Actions of={of} />}>
      <Grid gap="lg">
        <Grid.Col span={{ base: 12, md: 8 }}>
          <Stack gap="lg">
            {of.deliveries.map((each) => <DeliveryCard key={each.id} of={each} letter={letters.data?.get(each.id)} />)}
          </Stack>
        </Grid.Col>
        <Grid.Col span={{ base: 12, md: 4 }}>
          <Stack gap="lg">
            <Facts of={of} />
            <section>
              <Title order={2} size="h5" mb="sm">Timeline</Title>
              <Timeline steps={of.timeline} channels={of.deliveries.length} />
            </section>
          </Stack>
        </Grid.Col>
      </Grid>
    </Page>
  );
}

function DeliveryCard({ of, letter }: { of: Delivery; letter: Letter | undefined }) {
  const may = useMay()("dead_letters:manage");
  const [redriving, setRedriving] = useState(false);
  return (
    <Card withBorder component="section" aria-label={`${channelName(of.channel)} to ${of.destination}`}>
      <Stack gap="md">
        <Group justify="space-between" align="flex-start" wrap="nowrap">
          <div style={{ minWidth: 0 }}>
            <Title order={2} size="h5">{channelName(of.channel)}</Title>
            <Text size="sm" className="address">{of.destination}</Text>
          </div>
          <Group gap="xs" justify="flex-end">
            {letter && <GuardedButton size="compact-sm" variant="light" allowed={may} onClick={() => setRedriving(true)}>Redrive</GuardedButton>}
            <StatusBadge status={of.status} />
          </Group>
        </Group>
        {of.reason && <Alert variant="light" color={of.status === "failed" || of.status === "undelivered" ? "red" : "gray"} p="xs"><Text size="sm" className="address">{of.reason}</Text></Alert>}
        {waits(of) && <Text size="sm" c="dimmed">Due <Time at={of.due_at} /></Text>}
        <Preview of={of} />
        <Attempts of={of.attempts} />
        <Group gap="lg">
          <Fact name="Delivery"><Copyable value={of.id} label="the delivery's id" /></Fact>
          {of.provider_message_id && <Fact name={`At ${of.provider}`}><Copyable value={of.provider_message_id} label="the provider's id" /></Fact>}
        </Group>
      </Stack>
      {letter && redriving && <RedriveLetter letter={letter} onClose={() => setRedriving(false)} />}
    </Card>
  );
}

const waits = (of: Delivery) => of.status === "scheduled" || of.status === "retrying" || of.status === "held";

function Facts({ of }: { of: Whole }) {
  return (
    <Card withBorder component="section" aria-label="About this notification">
      <Stack gap="xs">
        <Fact name="Accepted"><Time at={of.created_at} /></Fact>
        <Fact name="Send at"><Time at={of.send_at} /></Fact>
        <Fact name="Expires"><Time at={of.expires_at} /></Fact>
        <Fact name="Priority">{of.priority}, {of.class}</Fact>
        <Fact name="Delivery mode">{of.delivery_mode.replaceAll("_", " ")}</Fact>
        {of.reference && <Fact name="Reference"><Copyable value={of.reference} label="the reference" /></Fact>}
        {of.tags.length > 0 && <Fact name="Tags"><Group gap={4}>{of.tags.map((each) => <Badge key={each} variant="default" size="sm" tt="none">{each}</Badge>)}</Group></Fact>}
        {Object.keys(of.metadata).length > 0 && <div><Text size="sm" c="dimmed" mb={4}>Metadata</Text><Code block fz="xs" tabIndex={0} aria-label="Metadata">{JSON.stringify(of.metadata, null, 2)}</Code></div>}
      </Stack>
    </Card>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return <Group gap="xs" wrap="nowrap" align="baseline"><Text size="sm" c="dimmed" miw={84}>{name}</Text><Text size="sm" component="div" miw={0}>{children}</Text></Group>;
}
