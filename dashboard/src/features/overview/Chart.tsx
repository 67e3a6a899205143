/** One chart with its words: a title, what it comes to, a legend, and the same figures as a table. */

import "@mantine/core/styles/Table.css";

import { Button, Group, Paper, ScrollArea, Stack, Table, Text, Title } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { TableIcon } from "@radix-ui/react-icons";
import { type ReactNode, useId } from "react";

import { type Point, type Series, start } from "@/features/overview/figures";
import classes from "@/features/overview/overview.module.css";

export function Chart({ title, about, series, points, format, children }: {
  title: string;
  about: string;
  series: Series[];
  points: Point[];
  format: (value: number) => string;
  /** The drawing; a reader hears `about` and may have the table. */
  children: ReactNode;
}) {
  const heading = useId();
  const [asTable, { toggle }] = useDisclosure();
  return (
    <Paper withBorder p="md" component="section" aria-labelledby={heading}>
      <Stack gap="sm">
        <Group justify="space-between" align="flex-start" wrap="nowrap">
          <Stack gap={0}>
            <Title order={2} size="h5" id={heading}>{title}</Title>
            <Text size="sm" c="dimmed">{about}</Text>
          </Stack>
          <Button size="compact-sm" variant="default" leftSection={<TableIcon aria-hidden />} onClick={toggle} flex="none" aria-pressed={asTable} aria-label={`${title} as a table`}>
            Table
          </Button>
        </Group>
        {asTable ? <Figures title={title} series={series} points={points} format={format} /> : (
          <>
            <div role="img" aria-label={`${title}: ${about}`}>{children}</div>
            <Legend series={series} />
          </>
        )}
      </Stack>
    </Paper>
  );
}

function Legend({ series }: { series: Series[] }) {
  return (
    <Group gap="md" aria-hidden>
      {series.map(({ name, label, color }) => (
        <Group key={name} gap={6}><span className={classes.swatch} style={{ background: color }} /><Text size="xs">{label}</Text></Group>
      ))}
    </Group>
  );
}

/** The latest first: that is what one asks a table. */
function Figures({ title, series, points, format }: {
  title: string; series: Series[]; points: Point[]; format: (value: number) => string;
}) {
  return (
    <ScrollArea.Autosize mah={280} viewportProps={{ tabIndex: 0, "aria-label": `${title}, figures`, role: "region" }}>
      <Table stickyHeader verticalSpacing={4} fz="sm">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>From</Table.Th>
            {series.map(({ name, label }) => <Table.Th key={name} ta="right">{label}</Table.Th>)}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {points.toReversed().map((point) => (
            <Table.Tr key={point.at}>
              <Table.Th scope="row" fw={400} style={{ whiteSpace: "nowrap" }}>{start(point.at)}</Table.Th>
              {series.map(({ name }) => <Table.Td key={name} ta="right" style={{ whiteSpace: "nowrap" }}>{typeof point[name] === "number" ? format(point[name]) : "–"}</Table.Td>)}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}
