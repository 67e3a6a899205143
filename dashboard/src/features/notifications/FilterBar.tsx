import {
  ActionIcon, Button, Group, Kbd, Pill, Popover, Select, SimpleGrid, Stack, TextInput, Tooltip,
} from "@mantine/core";
import { CalendarIcon, MagnifyingGlassIcon, PauseIcon, PlayIcon } from "@radix-ui/react-icons";
import { type Ref, useState } from "react";

import type { Filters } from "@/app/router";
import { channelName } from "@/components/badges";
import { local, pills, PRIORITIES, RANGES, STATUSES, understood } from "@/features/notifications/filters";

const CHANNELS = ["slack", "email", "whatsapp"].map((value) => ({ value, label: channelName(value) }));

export function FilterBar({ filters, onChange, onId, paused, onPause, search }: {
  filters: Filters;
  onChange: (next: Filters) => void;
  onId: (id: string) => void;
  paused: boolean;
  onPause: () => void;
  search: Ref<HTMLInputElement>;
}) {
  const set = (name: keyof Filters) => (value: string | null) => onChange({ ...filters, [name]: value ?? undefined });
  const chips = pills(filters);
  return (
    <Stack gap="xs" role="search" aria-label="Filter notifications">
      <Group gap="xs" align="stretch">
        <Search onFound={(found) => ("id" in found ? onId(found.id) : onChange({ ...filters, ...found }))} input={search} />
        <Tooltip label={paused ? "Resume" : "Pause"}>
          <ActionIcon size="input-sm" variant="default" onClick={onPause} aria-label={paused ? "Resume live updates" : "Pause live updates"} aria-pressed={paused}>
            {paused ? <PlayIcon /> : <PauseIcon />}
          </ActionIcon>
        </Tooltip>
      </Group>
      <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="xs">
        <Select aria-label="Status" placeholder="Any status" data={STATUSES} value={filters.status ?? null} onChange={set("status")} clearable />
        <Select aria-label="Channel" placeholder="Any channel" data={CHANNELS} value={filters.channel ?? null} onChange={set("channel")} clearable />
        <Select aria-label="Priority" placeholder="Any priority" data={PRIORITIES} value={filters.priority ?? null} onChange={set("priority")} clearable />
        <TimeRange filters={filters} onChange={onChange} />
      </SimpleGrid>
      {chips.length > 0 && (
        <Group gap={6}>
          {chips.map(({ names, label }) => (
            <Pill key={label} withRemoveButton removeButtonProps={{ "aria-label": `Remove filter: ${label}` }} onRemove={() => onChange(without(filters, names))}>
              {label}
            </Pill>
          ))}
          <Button size="compact-xs" variant="subtle" onClick={() => onChange({})}>Clear all</Button>
        </Group>
      )}
    </Stack>
  );
}

function without(filters: Filters, names: (keyof Filters)[]): Filters {
  return Object.fromEntries(Object.entries(filters).filter(([name]) => !names.includes(name as keyof Filters)));
}

function Search({ onFound, input }: { onFound: (found: Filters | { id: string }) => void; input: Ref<HTMLInputElement> }) {
  const [typed, setTyped] = useState("");
  const [error, setError] = useState(false);
  const find = () => {
    const found = understood(typed);
    setError(!found);
    if (!found) return;
    setTyped("");
    onFound(found);
  };
  return (
    <form style={{ flex: 1, minWidth: 0 }} onSubmit={(event) => { event.preventDefault(); find(); }}>
      <TextInput
        ref={input} value={typed} aria-label="Find by address, reference, tag or id" placeholder="Address, reference, tag:name or id"
        leftSection={<MagnifyingGlassIcon aria-hidden />} rightSection={<Kbd size="xs" visibleFrom="sm">/</Kbd>} error={error && "Type what to look for first"}
        onChange={(event) => { setTyped(event.currentTarget.value); setError(false); }}
        onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }}
      />
    </form>
  );
}

function TimeRange({ filters, onChange }: { filters: Filters; onChange: (next: Filters) => void }) {
  const [opened, setOpened] = useState(false);
  const [from, setFrom] = useState("");
  const [to, setTo] = useState("");
  const choose = (range: Pick<Filters, "since" | "until">) => {
    setOpened(false);
    onChange({ ...without(filters, ["since", "until"]), ...range });
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" trapFocus withArrow>
      <Popover.Target>
        <Button variant="default" fw={400} justify="space-between" rightSection={<CalendarIcon aria-hidden />} onClick={() => setOpened((was) => !was)}>
          {filters.since ?? filters.until ? "Time chosen" : "Any time"}
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap={4}>
          {RANGES.map(([label, length]) => (
            <Button key={label} variant="subtle" size="compact-sm" justify="start" onClick={() => choose({ since: new Date(Date.now() - length).toISOString() })}>{label}</Button>
          ))}
          <TextInput type="datetime-local" label="From" size="xs" value={from} max={local(new Date())} onChange={(event) => setFrom(event.currentTarget.value)} />
          <TextInput type="datetime-local" label="To" size="xs" value={to} onChange={(event) => setTo(event.currentTarget.value)} />
          <Button
            size="xs" mt={4} disabled={!from && !to}
            onClick={() => choose({ ...(from && { since: new Date(from).toISOString() }), ...(to && { until: new Date(to).toISOString() }) })}
          >
            Show these
          </Button>
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
