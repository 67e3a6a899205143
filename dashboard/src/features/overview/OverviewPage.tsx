/** How the project is doing: over the range that the address bar names, and right now. */

import "@mantine/charts/styles.css";

import { Button, Group, SegmentedControl, Stack } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";

import { useProjectScope } from "@/app/project";
import { Page } from "@/components/Page";
import { Empty, Loading, Problem } from "@/components/States";
import { Charts } from "@/features/overview/Charts";
import { isQuiet } from "@/features/overview/figures";
import { Health } from "@/features/overview/Health";
import classes from "@/features/overview/overview.module.css";
import { type Range, RANGES, rangeOf, type Statistics, useStatistics } from "@/features/overview/queries";
import { Tiles } from "@/features/overview/Tiles";

export function OverviewPage() {
  const { range: asked } = useSearch({ from: "/inside/p/$projectId/overview" });
  const range = rangeOf(asked);
  const found = useStatistics(range);
  return (
    <Page title="Overview" about={`The last ${RANGES[range]}, and now`} actions={<RangeSwitch range={range} />}>
      {found.isPending && <Loading rows={8} label="Loading the figures" />}
      {found.isError && <Problem error={found.error} again={() => void found.refetch()} />}
      {found.data && <Figures statistics={found.data} />}
    </Page>
  );
}

function RangeSwitch({ range }: { range: Range }) {
  const navigate = useNavigate({ from: "/p/$projectId/overview" });
  return (
    <SegmentedControl
      size="xs"
      aria-label="Range of time"
      value={range}
      data={Object.keys(RANGES)}
      onChange={(value) => void navigate({ search: (before) => ({ ...before, range: value }), replace: true })}
    />
  );
}

function Figures({ statistics }: { statistics: Statistics }) {
  if (isQuiet(statistics)) return <Quiet range={statistics.range} />;
  return (
    <Stack gap="md" className={classes.figures}>
      <Tiles statistics={statistics} />
      <Charts statistics={statistics} />
      <Health statistics={statistics} />
    </Stack>
  );
}

function Quiet({ range }: { range: Range }) {
  const { projectId, mode } = useProjectScope();
  const search = mode === "test" ? { mode } : {};
  const longest = range === "30d";
  const start = (
    <Button renderRoot={(props) => <Link to="/p/$projectId/start" params={{ projectId }} search={search} {...props} />}>Get started</Button>
  );
  const further = (
    <Button variant="default" renderRoot={(props) => <Link to="/p/$projectId/overview" params={{ projectId }} search={{ ...search, range: "30d" }} {...props} />}>
      Look at 30 days
    </Button>
  );
  return (
    <Empty
      title={longest ? "Nothing has been sent yet" : `Nothing happened in the last ${RANGES[range]}`}
      action={<Group gap="sm" justify="center">{!longest && further}{start}</Group>}
    >
      Figures appear here as soon as the first notification is accepted. Under Get started, sending one takes a minute.
    </Empty>
  );
}
