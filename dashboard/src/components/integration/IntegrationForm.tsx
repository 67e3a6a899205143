/** Adding a way to a provider, changing its settings, or giving it another credential: the provider is asked first. */

import "@mantine/core/styles/CheckboxIndicator.css";
import "@mantine/core/styles/CheckboxCard.css";
import "@mantine/core/styles/Checkbox.css";
import "@mantine/core/styles/PasswordInput.css";

import { Button, Checkbox, Group, Input, PasswordInput, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useForm, type UseFormReturnType } from "@mantine/form";

import { allAtFields, fieldErrors } from "@/api/problem";
import { channelName } from "@/components/badges";
import { type Channel, type Integration, useAddIntegration, useChangeIntegration } from "@/components/integration/queries";
import { POINTERS, settingsOf, type Values, valuesOf } from "@/components/integration/settings";
import { Problem } from "@/components/States";

type Form = UseFormReturnType<Values>;

const PROVIDERS: Record<Channel, string> = { slack: "Slack", email: "Brevo", whatsapp: "Meta" };

/** `first`: nothing to choose from yet, so it becomes the default by itself. */
export function AddIntegration({ channel, first, onDone }: { channel: Channel; first: boolean; onDone: (made: Integration) => void }) {
  const adding = useAddIntegration(onDone);
  const form = useIntegrationForm({ ...valuesOf(), name: channelName(channel) }, ["name", "credential", ...needed(channel)]);
  const submit = (values: Values) => adding.mutate({
    channel, name: values.name.trim(), settings: settingsOf(channel, values), credential: values.credential.trim(),
    default: first || values.default,
  }, { onError: (error) => form.setErrors(fieldErrors(error, POINTERS)) });
  return (
    <Fields form={form} onSubmit={submit} error={adding.error} busy={adding.isPending} action="Check and add" provider={PROVIDERS[channel]}>
      {!first && <TextInput label="Name" description="To tell it from others" {...form.getInputProps("name")} />}
      <SettingsFields channel={channel} form={form} />
      <CredentialField channel={channel} form={form} />
      {!first && <Checkbox label={`Send ${channelName(channel)} with this one by default`} {...form.getInputProps("default", { type: "checkbox" })} />}
    </Fields>
  );
}

export function EditIntegration({ integration, onDone }: { integration: Integration; onDone: () => void }) {
  const changing = useChangeIntegration(integration.id, "Saved", onDone);
  const before = valuesOf(integration);
  const form = useIntegrationForm(before, ["name", ...needed(integration.channel)]);
  const otherKind = form.values.kind !== before.kind;
  const submit = (values: Values) => {
    const credential = values.credential.trim();
    const settings = settingsOf(integration.channel, values, integration.settings);
    changing.mutate({ name: values.name.trim(), settings, ...(otherKind && credential && { credential }) }, {
      onError: (error) => form.setErrors(fieldErrors(error, POINTERS)),
    });
  };
  return (
    <Fields form={form} onSubmit={submit} error={changing.error} busy={changing.isPending} action="Save" provider={PROVIDERS[integration.channel]}>
      <TextInput label="Name" data-autofocus {...form.getInputProps("name")} />
      <SettingsFields channel={integration.channel} form={form} />
      {otherKind && <CredentialField channel={integration.channel} form={form} />}
    </Fields>
  );
}

export function RotateCredential({ integration, onDone }: { integration: Integration; onDone: () => void }) {
  const told = integration.held ? "The new credential is in use; what waited goes on" : "The new credential is in use";
  const changing = useChangeIntegration(integration.id, told, onDone);
  const form = useIntegrationForm(valuesOf(integration), ["credential"]);
  const submit = ({ credential }: Values) => changing.mutate({ credential: credential.trim() }, {
    onError: (error) => form.setErrors(fieldErrors(error, POINTERS)),
  });
  return (
    <Fields form={form} onSubmit={submit} error={changing.error} busy={changing.isPending} action="Check and replace" provider={PROVIDERS[integration.channel]}>
      <Text size="sm">In use now: {integration.credential.hint}. It stays in use if the new one is refused.</Text>
      <CredentialField channel={integration.channel} form={form} />
    </Fields>
  );
}

function needed(channel: Channel): (keyof Values)[] {
  return { slack: [], email: ["senderEmail" as const], whatsapp: ["phoneNumberId" as const] }[channel];
}

function useIntegrationForm(initialValues: Values, required: (keyof Values)[]): Form {
  return useForm({
    initialValues,
    validate: (values) =>
      Object.fromEntries(required.filter((each) => typeof values[each] === "string" && !values[each].trim()).map((each) => [each, "Needed"])),
  });
}

function Fields({ form, onSubmit, error, busy, action, provider, children }: {
  form: Form;
  onSubmit: (values: Values) => void;
  error: Error | null;
  busy: boolean;
  action: string;
  provider: string;
  children: React.ReactNode;
}) {
  return (
    <form onSubmit={form.onSubmit(onSubmit)} noValidate>
      <Stack gap="sm">
        {children}
        {error && !allAtFields(error, POINTERS) && <Problem error={error} />}
        <Group justify="space-between" mt="xs">
          <Text size="xs" c="dimmed" role="status">{busy ? `Asking ${provider} whether it knows the credential…` : ""}</Text>
          <Button type="submit" loading={busy}>{action}</Button>
        </Group>
      </Stack>
    </form>
  );
}

function SettingsFields({ channel, form }: { channel: Channel; form: Form }) {
  if (channel === "slack") {
    return (
      <Input.Wrapper label="Kind" description="A bot posts into any channel it is in, a webhook into one" labelElement="div" error={form.getInputProps("kind").error as string | undefined}>
        <SegmentedControl
          fullWidth mt={4} aria-label="Kind"
          data={[{ value: "bot", label: "Bot" }, { value: "webhook", label: "Incoming webhook" }]}
          value={form.values.kind} onChange={(kind) => form.setFieldValue("kind", kind)}
        />
      </Input.Wrapper>
    );
  }
  if (channel === "whatsapp") {
    return (
      <TextInput
        label="Phone number id" description="WhatsApp Manager, API setup: digits, not the number itself"
        placeholder="100000000000001" inputMode="numeric" {...form.getInputProps("phoneNumberId")}
      />
    );
  }
  return (
    <Group align="flex-start" grow preventGrowOverflow={false}>
      <TextInput label="From address" placeholder="hello@example.com" type="email" miw={180} {...form.getInputProps("senderEmail")} />
      <TextInput label="From name" placeholder="Example" miw={140} {...form.getInputProps("senderName")} />
    </Group>
  );
}

function CredentialField({ channel, form }: { channel: Channel; form: Form }) {
  const words = {
    slack: form.values.kind === "webhook"
      ? { label: "Webhook address", placeholder: "https://hooks.slack.com/services/T…/B…/…", description: "Slack: your app, Incoming Webhooks" }
      : { label: "Bot token", placeholder: "xoxb-…", description: "Slack: your app, OAuth & Permissions; it needs chat:write" },
    email: { label: "Brevo API key", placeholder: "xkeysib-…", description: "Brevo: SMTP & API, API keys" },
    whatsapp: { label: "Access token", placeholder: "EAA…", description: "Meta: a system user's token with whatsapp_business_messaging" },
  }[channel];
  return <PasswordInput {...words} autoComplete="off" data-1p-ignore spellCheck={false} {...form.getInputProps("credential")} />;
}
