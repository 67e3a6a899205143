import { Group, SegmentedControl, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";

import { allAtFields, fieldErrors } from "@/api/problem";
import { useMay, useProjectScope } from "@/app/project";
import { channelName } from "@/components/badges";
import { GuardedButton } from "@/components/GuardedButton";
import { CHANNELS, type Integration } from "@/components/integration/queries";
import { Problem } from "@/components/States";
import { Arrival } from "@/features/start/Arrival";
import { type Draft, isFixed, POINTERS, RECIPIENTS, requestOf } from "@/features/start/draft";
import { useSend, useSentBefore } from "@/features/start/queries";
import { Step } from "@/features/start/Step";
import type { DraftForm } from "@/features/start/useDraft";

export function SendStep({ form, draft, integrations }: { form: DraftForm; draft: Draft; integrations: Integration[] }) {
  const { mode } = useProjectScope();
  const may = useMay()("notifications:send");
  const before = useSentBefore();
  const [sentId, setSentId] = useState<string>();
  const sending = useSend((sent) => setSentId(sent.id));
  const { channel } = draft;
  const missing = !integrations.some((each) => each.channel === channel);
  const submit = () => sending.mutate(requestOf(draft), { onError: (error) => form.setErrors(fieldErrors(error, POINTERS)) });
  return (
    <Step
      number={3} title="Send a notification" done={before.data ?? false}
      summary={mode === "test" ? "Test: it takes the whole way, and stops at a simulated provider." : "Live: it reaches whom you name."}
    >
      <form onSubmit={form.onSubmit(submit)} noValidate>
        <Stack gap="sm" maw={520}>
          <SegmentedControl
            aria-label="Channel to send on" value={channel} data={CHANNELS.map((value) => ({ value, label: channelName(value) }))}
            onChange={(value) => form.setFieldValue("chosen", value)}
          />
          {isFixed(channel, integrations)
            ? <Text size="sm" c="dimmed">The incoming webhook posts into its own channel.</Text>
            : <TextInput label={RECIPIENTS[channel].label} description={RECIPIENTS[channel].hint} placeholder={RECIPIENTS[channel].example} {...form.getInputProps(`recipients.${channel}`)} />}
          {channel === "email" && <TextInput label="Subject" {...form.getInputProps("subject")} />}
          <Textarea label="Text" autosize minRows={2} {...form.getInputProps("text")} />
          {form.errors.chosen && <Text size="sm" c="red" role="alert">{form.errors.chosen}</Text>}
          {sending.isError && !allAtFields(sending.error, POINTERS) && <Problem error={sending.error} />}
          <Group>
            <GuardedButton
              type="submit" allowed={may && !missing} loading={sending.isPending}
              reason={may ? `Add an account for ${channelName(channel)} above first.` : "Your role in this project does not send."}
            >
              {mode === "test" ? "Send a test" : "Send it"}
            </GuardedButton>
          </Group>
        </Stack>
      </form>
      {sentId && <Arrival key={sentId} id={sentId} />}
    </Step>
  );
}
