/** What sends, and how far behind it is. */

import "@mantine/core/styles/Table.css";
import "@mantine/core/styles/Grid.css";

import { Anchor, Grid, Group, Paper, Stack, Table, Text, Title } from "@mantine/core";
import { CheckCircledIcon, ExclamationTriangleIcon } from "@radix-ui/react-icons";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useId } from "react";

import { useProjectScope } from "@/app/project";
import { channelName } from "@/components/badges";
import { duration } from "@/components/Time";
import { CHANNELS, count } from "@/features/overview/figures";
import classes from "@/features/overview/overview.module.css";
import type { Statistics } from "@/features/overview/queries";

const PRIORITIES = ["high", "normal", "low"] as const;
/** Beyond this a lane is behind: what is due now takes a second or two. */
const LATE_SECONDS = 60;

const ago = (seconds: number): string => (seconds < 60 ? `${seconds} s` : duration(seconds * 1_000));

export function Health({ statistics }: { statistics: Statistics }) {
  return (
    <Grid gap="md">
      <Grid.Col span={{ base: 12, md: 6 }}><Lanes lanes={statistics.lanes} /></Grid.Col>
      <Grid.Col span={{ base: 12, md: 6 }}><Integrations integrations={statistics.integrations} /></Grid.Col>
    </Grid>
  );
}

function Section({ title, about, children }: { title: string; about: string; children: ReactNode }) {
  const heading = useId();
  return (
    <Paper withBorder p="md" h="100%" component="section" aria-labelledby={heading}>
      <Stack gap="sm">
        <Stack gap={0}>
          <Title order={2} size="h5" id={heading}>{title}</Title>
          <Text size="sm" c="dimmed">{about}</Text>
        </Stack>
        {children}
      </Stack>
    </Paper>
  );
}

function Lanes({ lanes }: { lanes: Statistics["lanes"] }) {
  const late = Math.max(0, ...lanes.map((each) => each.oldest_seconds));
  const waiting = lanes.reduce((total, each) => total + each.queued, 0);
  return (
    <Section title="Lanes" about={waiting ? `${count(waiting)} due and waiting; the oldest is ${ago(late)} late` : "Nothing waits: whatever is due is on its way"}>
      <Table verticalSpacing={6} highlightOnHover={false}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Channel</Table.Th>
            {PRIORITIES.map((each) => <Table.Th key={each} ta="right" tt="capitalize">{each}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {CHANNELS.map(({ name, label }) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={400}>{label}</Table.Th>
              {PRIORITIES.map((priority) => (
                <Table.Td key={priority} ta="right">
                  <Lane lane={lanes.find((each) => each.channel === name && each.priority === priority)} />
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

function Lane({ lane }: { lane: Statistics["lanes"][number] | undefined }) {
  if (!lane?.queued) return <Text span size="sm" c="dimmed">–</Text>;
  const late = lane.oldest_seconds >= LATE_SECONDS;
  return (
    <>
      <Text size="sm">{count(lane.queued)}</Text>
      <Text size="xs" style={{ whiteSpace: "nowrap" }} {...(late ? { className: `${classes.late} ${classes.mark}` } : { c: "dimmed" })}>{ago(lane.oldest_seconds)} late</Text>
    </>
  );
}

function Integrations({ integrations }: { integrations: Statistics["integrations"] }) {
  const held = integrations.filter((each) => each.held).length;
  const about = !integrations.length ? "None yet: nothing can be sent" : held ? `${held} of ${integrations.length} refused by their providers` : "All of them can send";
  return (
    <Section title="Integrations" about={about}>
      <Stack gap="xs">
        {integrations.map((each) => <Integration key={each.id} integration={each} />)}
        <ToIntegrations>{integrations.length ? "All integrations" : "Add an integration"}</ToIntegrations>
      </Stack>
    </Section>
  );
}

function Integration({ integration: { name, channel, held, held_deliveries: waiting } }: { integration: Statistics["integrations"][number] }) {
  return (
    <Group justify="space-between" gap={4}>
      <Stack gap={0}>
        <Text size="sm">{name || channelName(channel)}</Text>
        {name && <Text size="xs" c="dimmed">{channelName(channel)}</Text>}
      </Stack>
      {held ? (
        <Group gap={6} wrap="nowrap" flex="none" className={classes.bad}>
          <ExclamationTriangleIcon aria-hidden />
          <Text size="sm" className={classes.mark}>Credential refused{waiting > 0 && `, ${count(waiting)} held`}</Text>
        </Group>
      ) : (
        <Group gap={6} wrap="nowrap" flex="none" className={classes.good}>
          <CheckCircledIcon aria-hidden />
          <Text size="sm">{waiting > 0 ? `Releasing ${count(waiting)}` : "Can send"}</Text>
        </Group>
      )}
    </Group>
  );
}

function ToIntegrations({ children }: { children: ReactNode }) {
  const { projectId, mode } = useProjectScope();
  const search = mode === "test" ? { mode } : {};
  return (
    <Anchor size="sm" renderRoot={(props) => <Link to="/p/$projectId/integrations" params={{ projectId }} search={search} {...props} />}>
      {children}
    </Anchor>
  );
}
