import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { type ReactNode, useState } from "react";

/** What cannot be undone asks first; what is worse wants a word typed. */
export function Confirm({ opened, onClose, title, children, action, onConfirm, busy = false, type }: {
  opened: boolean;
  onClose: () => void;
  title: string;
  children: ReactNode;
  action: string;
  onConfirm: () => void;
  busy?: boolean;
  type?: string;
}) {
  const [typed, setTyped] = useState("");
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      <Stack>
        <Text size="sm" component="div">{children}</Text>
        {type && (
          <TextInput label={`Type ${type} to confirm`} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} data-autofocus />
        )}
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>Keep it</Button>
          <Button color="red.8" loading={busy} disabled={type !== undefined && typed !== type} onClick={onConfirm}>{action}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
