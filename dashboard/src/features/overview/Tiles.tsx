/** The figures one looks at first. */

import { Paper, SimpleGrid, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useProjectScope } from "@/app/project";
import { duration } from "@/components/Time";
import { count, failures, share } from "@/features/overview/figures";
import classes from "@/features/overview/overview.module.css";
import type { Statistics } from "@/features/overview/queries";

export function Tiles({ statistics }: { statistics: Statistics }) {
  const { totals, now, success_rate: rate, time_to_provider: time, dead_letters_open: letters } = statistics;
  const underWay = now.queued + now.sending + now.retrying;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, lg: 6 }} spacing="sm" component="section" aria-label="At a glance">
      <Tile label="Sent" figure={count(totals.sent)} about={`of ${count(totals.accepted)} accepted`} />
      <Tile
        label="Success rate"
        figure={rate === null ? "–" : share(rate)}
        about={rate === null ? "nothing has ended" : `${count(failures(totals))} failed`}
      />
      <Tile
        label="Time to provider"
        figure={time.p50_ms === null ? "–" : duration(time.p50_ms)}
        about={time.p99_ms === null ? "nothing was sent" : `p99 ${duration(time.p99_ms)}`}
      />
      <Tile label="Scheduled ahead" figure={count(now.scheduled)} about="waiting for their time" />
      <Tile label="Under way" figure={count(underWay)} about={`${count(now.retrying)} trying again`} />
      <LettersTile letters={letters} />
    </SimpleGrid>
  );
}

function Tile({ label, figure, about }: { label: string; figure: string; about: ReactNode }) {
  return <Paper withBorder p="sm"><Inside label={label} figure={figure} about={about} /></Paper>;
}

function LettersTile({ letters }: { letters: number }) {
  const { projectId, mode } = useProjectScope();
  const search = mode === "test" ? { mode } : {};
  return (
    <Paper withBorder p="sm" className={classes.tile} renderRoot={(props) => <Link to="/p/$projectId/dead-letters" params={{ projectId }} search={search} {...props} />}>
      <Inside label="Dead letters" figure={count(letters)} about={letters ? "wait for a decision" : "none waiting"} tone={letters ? classes.bad : undefined} />
    </Paper>
  );
}

function Inside({ label, figure, about, tone }: { label: string; figure: string; about: ReactNode; tone?: string | undefined }) {
  return (
    <>
      <Text size="sm" c="dimmed">{label}</Text>
      <Text className={tone ? `${classes.figure} ${tone}` : classes.figure}>{figure}</Text>
      <Text size="xs" c="dimmed">{about}</Text>
    </>
  );
}
