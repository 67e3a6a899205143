import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";

import { ApiProblem } from "@/api/problem";
import { useMay, useProjectScope } from "@/app/project";
import { Confirm } from "@/components/confirm";
import { GuardedButton } from "@/components/GuardedButton";
import { Problem } from "@/components/States";
import { local } from "@/features/notifications/filters";
import { useCancel, useMove, useSendAgain, type Whole } from "@/features/notifications/queries";

type Asked = "cancel" | "move" | "again";
const CANCELLABLE = new Set(["scheduled", "queued", "retrying", "held"]);
const ROLE = "Developers, admins and owners may do this.";

/** What can be done about it now: what its state does not allow is not offered, what one's role does not says so. */
export function Actions({ of }: { of: Whole }) {
  const may = useMay();
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const amend = may("notifications:amend");
  return (
    <>
      {of.deliveries.some((each) => each.status === "scheduled") && (
        <GuardedButton variant="default" allowed={amend} reason={ROLE} onClick={() => setAsked("move")}>Move</GuardedButton>
      )}
      {of.deliveries.some((each) => CANCELLABLE.has(each.status)) && (
        <GuardedButton variant="default" allowed={amend} reason={ROLE} onClick={() => setAsked("cancel")}>Cancel</GuardedButton>
      )}
      <GuardedButton
        variant="default" allowed={may("notifications:send") && !erased(of)} onClick={() => setAsked("again")}
        reason={erased(of) ? "Its content was erased: there is nothing to send." : ROLE}
      >
        Send again
      </GuardedButton>
      {asked === "cancel" && <Cancel of={of} onClose={close} />}
      {asked === "move" && <Move of={of} onClose={close} />}
      {asked === "again" && <SendAgain of={of} onClose={close} />}
    </>
  );
}

const erased = (of: Whole) => Object.keys(of.content).length === 0;

function Cancel({ of, onClose }: { of: Whole; onClose: () => void }) {
  const cancel = useCancel(of.id, onClose);
  const waiting = of.deliveries.filter((each) => CANCELLABLE.has(each.status));
  return (
    <Confirm opened onClose={onClose} title="Cancel this notification?" action="Cancel it" busy={cancel.isPending} onConfirm={() => cancel.mutate()}>
      <Stack gap="sm">
        <span>{waiting.length === 1 ? "One delivery that has" : `${waiting.length} deliveries that have`} not begun will never be sent: {waiting.map((each) => each.destination).join(", ")}. What is being sent is not called back.</span>
        {cancel.isError && <Problem error={cancel.error} />}
      </Stack>
    </Confirm>
  );
}

function Move({ of, onClose }: { of: Whole; onClose: () => void }) {
  const move = useMove(of.id, onClose);
  const [at, setAt] = useState(local(new Date(of.send_at)));
  const field = move.error instanceof ApiProblem ? (move.error.field("/send_at") ?? move.error.field("/expires_at")) : undefined;
  return (
    <Modal opened onClose={onClose} title="Move to another time">
      <form onSubmit={(event) => { event.preventDefault(); move.mutate(new Date(at).toISOString()); }}>
        <Stack>
          <TextInput type="datetime-local" label="Send at" description="In your own time zone. A time that has passed sends it now; its expiry moves along." required value={at} error={field} onChange={(event) => setAt(event.currentTarget.value)} data-autofocus />
          {move.isError && !field && <Problem error={move.error} />}
          <Group justify="flex-end"><Button variant="default" onClick={onClose}>Leave it</Button><Button type="submit" loading={move.isPending} disabled={!at}>Move it</Button></Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** (crypto.randomUUID is kept from pages without TLS, such as a stack on one's own network.) */
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (each) => each.toString(16).padStart(2, "0")).join("");

function SendAgain({ of, onClose }: { of: Whole; onClose: () => void }) {
  const { projectId, mode } = useProjectScope();
  const navigate = useNavigate();
  const [key] = useState(newKey);
  const again = useSendAgain(of.id, key, (made) => {
    onClose();
    if (made) void navigate({ to: "/p/$projectId/notifications/$notificationId", params: { projectId, notificationId: made.id }, search: mode === "test" ? { mode } : {} });
  });
  return (
    <Modal opened onClose={onClose} title="Send it again?">
      <Stack>
        <Text size="sm">A new notification with the same content goes out at once, to {Object.values(of.to).join(", ") || "the same recipients"}. This one stays as it is.</Text>
        {again.isError && <Problem error={again.error} />}
        <Group justify="flex-end"><Button variant="default" onClick={onClose}>Not now</Button><Button loading={again.isPending} onClick={() => again.mutate()} data-autofocus>Send again</Button></Group>
      </Stack>
    </Modal>
  );
}
