import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { ApiProblem } from "@/api/problem";
import { Problem } from "@/components/States";
import { type Letter, MOST, useDiscardGroup, useDiscardOne } from "@/features/dead-letters/queries";

export function DiscardOne({ letter, onClose }: { letter: Letter; onClose: () => void }) {
  const discard = useDiscardOne(letter, onClose);
  return (
    <Ask title="Discard this dead letter?" doing={discard} onClose={onClose} onReason={(reason) => discard.mutate(reason)}>
      Nobody will send it to {letter.destination} any more. This cannot be undone.
    </Ask>
  );
}

export function DiscardGroup({ fingerprint, open, onClose }: { fingerprint: string; open: number; onClose: () => void }) {
  const discard = useDiscardGroup(fingerprint, onClose);
  const count = Math.min(open, MOST);
  return (
    <Ask title={`Discard ${count} dead letters?`} doing={discard} onClose={onClose} onReason={(reason) => discard.mutate(reason)}>
      {open > MOST ? `The first ${MOST} of ${open} that are open are` : `All ${count} that are open are`} put away for good. This cannot be undone.
    </Ask>
  );
}

function Ask({ title, children, doing, onClose, onReason }: {
  title: string;
  children: ReactNode;
  doing: { isPending: boolean; isError: boolean; error: Error | null };
  onClose: () => void;
  onReason: (reason: string) => void;
}) {
  const [reason, setReason] = useState("");
  const field = doing.error instanceof ApiProblem ? doing.error.field("/reason") : undefined;
  return (
    <Modal opened onClose={onClose} title={title}>
      <form onSubmit={(event) => { event.preventDefault(); onReason(reason.trim()); }}>
        <Stack>
          <Text size="sm">{children}</Text>
          <TextInput label="Why?" description="It stands in the audit log." placeholder="The addresses no longer exist" required maxLength={255} value={reason} error={field} onChange={(event) => setReason(event.currentTarget.value)} data-autofocus />
          {doing.isError && !field && <Problem error={doing.error} />}
          <Group justify="flex-end"><Button variant="default" onClick={onClose}>Keep it</Button><Button type="submit" color="red" loading={doing.isPending} disabled={!reason.trim()}>Discard</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}
