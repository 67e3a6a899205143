import "@mantine/core/styles/Progress.css";
import "@mantine/core/styles/CheckboxIndicator.css";
import "@mantine/core/styles/CheckboxCard.css";
import "@mantine/core/styles/Checkbox.css";
import "@mantine/core/styles/NumberInput.css";

import { Alert, Button, Checkbox, Group, NumberInput, Progress as Bar, SimpleGrid, Stack, Text } from "@mantine/core";
import { useState } from "react";

import { channelName } from "@/components/badges";
import { Loading, Problem } from "@/components/States";
import { duration } from "@/components/Time";
import { type Preview, usePreview } from "@/features/dead-letters/queries";
import { type Progress, useRedriveGroup } from "@/features/dead-letters/useRedriveGroup";

/** What a redrive would do, before anybody does it; and how far it is, while it is done. */
export function RedriveGroup({ fingerprint, onClose }: { fingerprint: string; onClose: () => void }) {
  const preview = usePreview(fingerprint);
  const { progress, start, stop } = useRedriveGroup();
  if (progress.state !== "idle") return <Running progress={progress} onStop={stop} onClose={onClose} />;
  if (preview.isPending) return <Loading rows={4} label="Looking at what a redrive would do" />;
  if (preview.isError) return <Problem error={preview.error} again={() => void preview.refetch()} />;
  return <Ask preview={preview.data} onClose={onClose} onStart={(how) => void start({ fingerprint, ...how })} />;
}

interface How {
  limit: number;
  perSecond: number;
  skipExpired: boolean;
}

function Ask({ preview, onClose, onStart }: { preview: Preview; onClose: () => void; onStart: (how: How) => void }) {
  const [skipExpired, setSkip] = useState(false);
  const most = preview.redrivable - (skipExpired ? preview.past_expiry : 0);
  const [asked, setAsked] = useState<number | string>(preview.redrivable);
  const [pace, setPace] = useState<number | string>(10);
  const limit = Math.min(most, Number(asked) || 0);
  const perSecond = Number(pace) || 0;
  const sound = limit >= 1 && perSecond >= 0.1;
  return (
    <form onSubmit={(event) => { event.preventDefault(); if (sound) onStart({ limit, perSecond, skipExpired }); }}>
      <Stack>
        <Meaning of={preview} />
        <SimpleGrid cols={2}>
          <NumberInput label="How many" min={1} max={Math.max(1, most)} allowDecimal={false} value={Math.min(Number(asked), most)} onChange={setAsked} />
          <NumberInput label="A second, at most" min={0.1} max={1000} value={pace} onChange={setPace} />
        </SimpleGrid>
        {preview.past_expiry > 0 && (
          <Checkbox checked={skipExpired} onChange={(event) => setSkip(event.currentTarget.checked)} label={`Leave out ${preview.past_expiry} past their expiry`} description="Otherwise they get a new lifetime." />
        )}
        <Group justify="space-between">
          <Text size="sm" c="dimmed">{sound && `Takes about ${duration((limit / perSecond) * 1_000)}`}</Text>
          <Group gap="xs">
            <Button variant="default" onClick={onClose}>Not now</Button>
            <Button type="submit" disabled={!sound}>{sound ? `Send ${limit} again` : "Nothing to send"}</Button>
          </Group>
        </Group>
      </Stack>
    </form>
  );
}

function Meaning({ of }: { of: Preview }) {
  const { recipients } = of;
  const more = recipients.count - recipients.sample.length;
  return (
    <Stack gap={6}>
      <Text size="sm"><strong>{of.redrivable}</strong> of {of.matching} open dead letters can be sent again, to <strong>{recipients.count}</strong> {recipients.count === 1 ? "address" : "addresses"}.</Text>
      {of.not_redrivable > 0 && <Text size="sm" c="dimmed">{of.not_redrivable} cannot: their deliveries have moved on.</Text>}
      {recipients.sample.length > 0 && (
        <Text size="sm" c="dimmed" className="address">
          {recipients.sample.map((each) => `${each.destination} (${channelName(each.channel)})`).join(", ")}{more > 0 && ` and ${more} more`}
        </Text>
      )}
    </Stack>
  );
}

const TOLD: Record<Exclude<Progress["state"], "idle">, string> = {
  running: "Sending again…", done: "Done: all of them are on their way.", stopped: "Stopped. What was sent stays sent.", failed: "It stopped at a problem; what was sent stays sent.",
};

function Running({ progress, onStop, onClose }: { progress: Progress; onStop: () => void; onClose: () => void }) {
  const { state, redriven, of, error } = progress;
  if (state === "idle") return null;
  const running = state === "running";
  const told = state === "done" && redriven < of ? "Done: the others had moved on meanwhile." : TOLD[state];
  const share = state === "done" ? 100 : (redriven / Math.max(1, of)) * 100;
  return (
    <Stack>
      <Text size="sm" aria-live="polite">{told} <strong>{redriven}</strong> of {of}</Text>
      <Bar value={share} animated={running} color={state === "failed" ? "red" : "indigo"} aria-label="Sent again" />
      {state === "failed" && <Problem error={error} />}
      {running && <Alert variant="light" color="gray" p="xs">Keep this open: it stops where it is when you leave. What fails again comes back as a new dead letter.</Alert>}
      <Group justify="flex-end">{running ? <Button color="red" variant="light" onClick={onStop}>Stop here</Button> : <Button onClick={onClose}>Close</Button>}</Group>
    </Stack>
  );
}
