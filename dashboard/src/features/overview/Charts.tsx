/** What happened over time. The drawings are for eyes; `Chart` has the words and the table. */

import "@mantine/core/styles/Grid.css";

import { BarChart, ChartTooltip, LineChart } from "@mantine/charts";
import { Grid, Stack } from "@mantine/core";

import { duration } from "@/components/Time";
import { Chart } from "@/features/overview/Chart";
import {
  byChannel, byOutcome, CHANNELS, count, failures, OUTCOMES, type Point, type Series, share, short, span, tick, ticks, TIMES, timeScale,
  timesToProvider,
} from "@/features/overview/figures";
import { type Range, RANGES, type Statistics } from "@/features/overview/queries";

const HEIGHT = 220;
const MARGIN = { left: 0, right: 8 };

export function Charts({ statistics }: { statistics: Statistics }) {
  const { totals, channels, range, step_seconds: stepSeconds, time_to_provider: time } = statistics;
  const [outcomes, sent, times] = [byOutcome(statistics), byChannel(statistics), timesToProvider(statistics)];
  const last = `in the last ${RANGES[range]}`;
  const rates = CHANNELS.flatMap(({ name, label }) => {
    const rate = (channels as Partial<typeof channels>)[name]?.success_rate;
    return rate === null || rate === undefined ? [] : [`${label} ${share(rate)}`];
  });
  return (
    <Stack gap="md">
      <Chart
        title="Volume by outcome"
        about={`${count(totals.sent)} sent and ${count(failures(totals))} failed ${last}`}
        series={OUTCOMES} points={outcomes} format={count}
      >
        <Bars points={outcomes} series={OUTCOMES} range={range} stepSeconds={stepSeconds} />
      </Chart>
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Chart
            title="Sent by channel"
            about={rates.length ? `Success: ${rates.join(", ")}` : `Nothing was sent ${last}`}
            series={CHANNELS} points={sent} format={count}
          >
            <Bars points={sent} series={CHANNELS} range={range} stepSeconds={stepSeconds} />
          </Chart>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Chart
            title="Time to provider"
            about={time.p50_ms === null || time.p99_ms === null ? `Nothing was sent ${last}` : `From due to the provider's answer: half within ${duration(time.p50_ms)}, 99 % within ${duration(time.p99_ms)}`}
            series={TIMES} points={times} format={duration}
          >
            <LineChart
              h={HEIGHT} data={times} dataKey="at" series={TIMES} curveType="monotone" strokeWidth={2}
              withDots={false} connectNulls accessibilityLayer={false} tickLine="none"
              valueFormatter={unbroken} xAxisProps={xAxis(times, range)} yAxisProps={timeAxis(times)}
              lineChartProps={{ margin: MARGIN }} tooltipAnimationDuration={0}
              lineProps={{ isAnimationActive: false }}
              tooltipProps={{ content: ({ label, payload }) => <Told label={label} payload={payload} series={TIMES} stepSeconds={stepSeconds} format={duration} /> }}
            />
          </Chart>
        </Grid.Col>
      </Grid>
    </Stack>
  );
}

function Bars({ points, series, range, stepSeconds }: { points: Point[]; series: Series[]; range: Range; stepSeconds: number }) {
  return (
    <BarChart
      h={HEIGHT} data={points} dataKey="at" series={series} type="stacked" accessibilityLayer={false} tickLine="none"
      valueFormatter={short} xAxisProps={xAxis(points, range)} yAxisProps={{ width: 52, allowDecimals: false }}
      barChartProps={{ margin: MARGIN, barCategoryGap: "10%" }} tooltipAnimationDuration={0}
      barProps={{ isAnimationActive: false }}
      tooltipProps={{ content: ({ label, payload }) => <Told label={label} payload={payload} series={series} stepSeconds={stepSeconds} format={count} /> }}
    />
  );
}

function Told({ label, payload, series, stepSeconds, format }: {
  label: unknown; payload: readonly object[] | undefined; series: Series[]; stepSeconds: number; format: (value: number) => string;
}) {
  if (typeof label !== "string") return null;
  return <ChartTooltip label={span(label, stepSeconds)} payload={payload as Record<string, unknown>[]} series={series} valueFormatter={format} />;
}

const xAxis = (points: Point[], range: Range) => ({
  ticks: ticks(points, range), tickFormatter: (at: string) => tick(at, range), minTickGap: 12, interval: "equidistantPreserveStart" as const,
});

/** An axis would break the line at the space. */
const unbroken = (milliseconds: number) => duration(milliseconds).replace(" ", "\u00a0");

/** A tenth of a second and a minute on one axis. */
function timeAxis(points: Point[]) {
  const scale = timeScale(points);
  return { width: 56, scale: "log" as const, ticks: scale, domain: [scale[0] ?? 1, scale.at(-1) ?? 1], interval: 0 };
}
