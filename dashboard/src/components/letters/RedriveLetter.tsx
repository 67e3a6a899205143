import "@mantine/core/styles/Switch.css";
import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { Alert, Button, Group, Modal, Skeleton, Stack, Switch, Text, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";

import { ApiProblem } from "@/api/problem";
import { channelName } from "@/components/badges";
import { addressPath, type Draft, draftOf, editOf } from "@/components/letters/edit";
import { type Letter, useContentOf, useRedrive } from "@/components/letters/queries";
import { Problem } from "@/components/States";

export type { Letter };

/** Send one again: as it is, to another address, or with other content. */
export function RedriveLetter({ letter, onClose }: { letter: Letter; onClose: () => void }) {
  const [editing, setEditing] = useState(false);
  const content = useContentOf(letter, editing);
  const [changed, setChanged] = useState<Partial<Draft>>({});
  const redrive = useRedrive(letter, onClose);
  const before = draftOf(letter, content.data);
  const draft = { ...before, ...changed };
  const change = (part: Partial<Draft>) => setChanged((was) => ({ ...was, ...part }));
  const wrong = (...paths: string[]) => (redrive.error instanceof ApiProblem ? paths.map((each) => (redrive.error as ApiProblem).field(each)).find(Boolean) : undefined);
  const address = wrong(addressPath(letter));
  const fields = address ?? wrong("/content/subject", "/content/text", "/content/email/html");
  return (
    <Modal opened onClose={onClose} title="Redrive" size="lg">
      <form onSubmit={(event) => { event.preventDefault(); redrive.mutate(editOf(letter, before, draft)); }}>
        <Stack>
          <Text size="sm" c="dimmed" className="address">It ended with: {letter.reason}</Text>
          <TextInput label={`Send it by ${channelName(letter.channel)} to`} required value={draft.address} error={address} onChange={(event) => change({ address: event.currentTarget.value })} data-autofocus />
          <Switch label="Change what it says" checked={editing} onChange={(event) => setEditing(event.currentTarget.checked)} />
          {editing && content.isPending && <Skeleton h={120} />}
          {editing && content.isError && <Problem error={content.error} again={() => void content.refetch()} />}
          {editing && content.isSuccess && !content.data && <Text size="sm" c="dimmed">What it said is kept no longer, so it cannot be changed.</Text>}
          {editing && content.data && <Words letter={letter} content={content.data} hasHtml={before.html !== ""} draft={draft} change={change} wrong={wrong} />}
          {redrive.isError && !fields && <Problem error={redrive.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Not now</Button>
            <Button type="submit" loading={redrive.isPending} disabled={editing && !content.data}>Send it again</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function Words({ letter, content, hasHtml, draft, change, wrong }: {
  letter: Letter;
  content: Record<string, unknown>;
  hasHtml: boolean;
  draft: Draft;
  change: (part: Partial<Draft>) => void;
  wrong: (...paths: string[]) => string | undefined;
}) {
  const lost = content.template ? "its template" : Array.isArray(content.blocks) ? "its blocks" : undefined;
  return (
    <Stack gap="xs">
      {lost && <Alert variant="light" color="yellow" p="xs">A text takes the place of {lost}.</Alert>}
      {letter.channel === "email" && <TextInput label="Subject" value={draft.subject} error={wrong("/content/subject")} onChange={(event) => change({ subject: event.currentTarget.value })} />}
      <Textarea label="Text" rows={5} resize="vertical" value={draft.text} error={wrong("/content/text")} onChange={(event) => change({ text: event.currentTarget.value })} />
      {hasHtml && <Textarea label="HTML" ff="monospace" rows={5} resize="vertical" value={draft.html} error={wrong("/content/email/html")} onChange={(event) => change({ html: event.currentTarget.value })} />}
    </Stack>
  );
}
