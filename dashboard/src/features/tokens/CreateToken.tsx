import "@mantine/core/styles/CheckboxIndicator.css";
import "@mantine/core/styles/CheckboxCard.css";
import "@mantine/core/styles/Checkbox.css";

import { Button, Checkbox, Group, SegmentedControl, Select, Stack, Text, TextInput } from "@mantine/core";
import { useForm } from "@mantine/form";

import { allAtFields, fieldErrors } from "@/api/problem";
import { type Permission, useMay, useProjectScope } from "@/app/project";
import { Problem } from "@/components/States";
import { NewSecret } from "@/components/token/NewSecret";
import { type Scope, useCreateToken } from "@/components/token/queries";

/** What a scope is for, and what it takes to give it: nobody makes a token that may do more than they may. */
const SCOPES: { value: Scope; label: string; about: string; takes: Permission }[] = [
  { value: "send", label: "Send", about: "Send notifications, cancel and move them", takes: "notifications:send" },
  { value: "read", label: "Read", about: "See notifications, dead letters and integrations", takes: "notifications:read" },
  { value: "manage", label: "Manage", about: "Work dead letters, change integrations, erase recipients", takes: "integrations:manage" },
];

const LIFETIMES = [
  { value: "never", label: "Never" }, { value: "30", label: "In 30 days" }, { value: "90", label: "In 90 days" }, { value: "365", label: "In a year" },
];

const POINTERS = { name: "/name", scopes: "/scopes", days: "/expires_at" };

export function CreateToken({ onDone }: { onDone: () => void }) {
  const { mode } = useProjectScope();
  const may = useMay();
  const creating = useCreateToken();
  const form = useForm({
    initialValues: { name: "", mode, scopes: ["send"] as Scope[], days: "never" },
    validate: {
      name: (value) => (value.trim() ? null : "What is it for? Its name stands in the list and in the audit log"),
      scopes: (value) => (value.length > 0 ? null : "At least one"),
    },
  });
  if (creating.data) {
    return (
      <Stack>
        <NewSecret value={creating.data.token} label="token">This is {creating.data.name}. Copy it now: it is not shown again.</NewSecret>
        <Group justify="flex-end"><Button onClick={onDone} data-autofocus>I have copied it</Button></Group>
      </Stack>
    );
  }
  const submit = ({ name, mode: kind, scopes, days }: typeof form.values) => creating.mutate(
    { name: name.trim(), mode: kind, scopes, ...(days !== "never" && { expires_at: inDays(Number(days)) }) },
    { onError: (error) => form.setErrors(fieldErrors(error, POINTERS)) },
  );
  return (
    <form onSubmit={form.onSubmit(submit)} noValidate>
      <Stack>
        <TextInput label="Name" placeholder="Checkout server" maxLength={70} data-autofocus {...form.getInputProps("name")} />
        <Stack gap={4}>
          <Text size="sm" fw={500} id="token-mode">Mode</Text>
          <SegmentedControl aria-labelledby="token-mode" data={[{ value: "live", label: "Live" }, { value: "test", label: "Test" }]} {...form.getInputProps("mode")} />
          <Text size="xs" c="dimmed">{form.values.mode === "test" ? "What it sends stops at a simulated provider." : "What it sends reaches people."}</Text>
        </Stack>
        <Checkbox.Group label="It may" {...form.getInputProps("scopes")}>
          <Stack gap="xs" mt={4}>
            {SCOPES.map(({ value, label, about, takes }) => (
              <Checkbox key={value} value={value} label={label} description={may(takes) ? about : "Your role may not, so no token of yours may."} disabled={!may(takes)} />
            ))}
          </Stack>
        </Checkbox.Group>
        <Select label="Ends" data={LIFETIMES} allowDeselect={false} {...form.getInputProps("days")} />
        {creating.isError && !allAtFields(creating.error, POINTERS) && <Problem error={creating.error} />}
        <Group justify="flex-end"><Button type="submit" loading={creating.isPending}>Create token</Button></Group>
      </Stack>
    </form>
  );
}

function inDays(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString();
}
