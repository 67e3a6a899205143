import "@mantine/core/styles/ModalBase.css";
import "@mantine/core/styles/Modal.css";

import { Anchor, Badge, Button, Center, Group, Modal, SegmentedControl, Stack, Text, Title } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";

import { useMay, useProjectScope } from "@/app/project";
import { channelName, StatusBadge } from "@/components/badges";
import { Copyable } from "@/components/Copy";
import { GuardedButton } from "@/components/GuardedButton";
import { RedriveLetter } from "@/components/letters/RedriveLetter";
import { Page } from "@/components/Page";
import { Empty, Loading, Problem } from "@/components/States";
import { Time } from "@/components/Time";
import styles from "@/features/dead-letters/dead-letters.module.css";
import { DiscardGroup, DiscardOne } from "@/features/dead-letters/Discard";
import { type Letter, type LetterGroup, type Standing, useGroups, useLetters } from "@/features/dead-letters/queries";
import { RedriveGroup } from "@/features/dead-letters/RedriveGroup";

type Asked = "redrive" | "discard";

export function GroupPage() {
  const { fingerprint } = useParams({ from: "/inside/p/$projectId/dead-letters/$fingerprint" });
  const groups = useGroups();
  const may = useMay()("dead_letters:manage");
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  const group = groups.data?.find((each) => each.fingerprint === fingerprint);
  const open = group?.open ?? 0;
  return (
    <>
      <Back />
      <Page title={group?.sample.reason ?? "Dead letters of one cause"} about={<About of={group} fingerprint={fingerprint} />} actions={open > 0 && (
        <>
          <GuardedButton variant="default" allowed={may} onClick={() => setAsked("discard")}>Discard all</GuardedButton>
          <GuardedButton allowed={may} onClick={() => setAsked("redrive")}>Redrive…</GuardedButton>
        </>
      )}>
        {groups.isError && <Problem error={groups.error} again={() => void groups.refetch()} />}
        <Letters fingerprint={fingerprint} may={may} />
      </Page>
      <Modal opened={asked === "redrive"} onClose={close} title="Redrive this cause" size="lg" closeOnClickOutside={false}>
        <RedriveGroup fingerprint={fingerprint} onClose={close} />
      </Modal>
      {asked === "discard" && <DiscardGroup fingerprint={fingerprint} open={open} onClose={close} />}
    </>
  );
}

function Back() {
  const { projectId, mode } = useProjectScope();
  return (
    <Anchor size="sm" display="inline-block" mb={8} renderRoot={(props) => <Link to="/p/$projectId/dead-letters" params={{ projectId }} search={mode === "test" ? { mode } : {}} {...props} />}>
      ← Dead letters
    </Anchor>
  );
}

function About({ of, fingerprint }: { of: LetterGroup | undefined; fingerprint: string }) {
  return (
    <Group gap="xs" component="span">
      {of && <Badge color={of.open ? "red" : "gray"} variant="light" autoContrast tt="none">{of.open} open of {of.count}</Badge>}
      {of && <span>first <Time at={of.first_seen} />, last <Time at={of.last_seen} /></span>}
      <Copyable value={fingerprint} label="the fingerprint" />
    </Group>
  );
}

const STANDINGS = [{ value: "open", label: "Open" }, { value: "redriven", label: "Redriven" }, { value: "discarded", label: "Discarded" }, { value: "all", label: "All" }];

function Letters({ fingerprint, may }: { fingerprint: string; may: boolean }) {
  const [which, setWhich] = useState("open");
  const letters = useLetters(fingerprint, which === "all" ? undefined : (which as Standing));
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Title order={2} size="h5">Letters</Title>
        <SegmentedControl size="xs" aria-label="Which letters" value={which} onChange={setWhich} data={STANDINGS} />
      </Group>
      {letters.isPending && <Loading label="Loading the letters" />}
      {letters.isError && <Problem error={letters.error} again={() => void letters.refetch()} />}
      {letters.data?.length === 0 && <Empty title={which === "open" ? "Nothing is open here" : "None"}>{which === "open" ? "Every letter of this cause was sent again or discarded." : "No letter of this cause is like that."}</Empty>}
      {letters.data && letters.data.length > 0 && (
        <ul className={styles.list} aria-label="Letters">{letters.data.map((each) => <li key={each.id} className={styles.item}><One of={each} may={may} /></li>)}</ul>
      )}
      {letters.hasNextPage && <Center><Button variant="default" loading={letters.isFetchingNextPage} onClick={() => void letters.fetchNextPage()}>Show older</Button></Center>}
    </Stack>
  );
}

function One({ of, may }: { of: Letter; may: boolean }) {
  const { projectId, mode } = useProjectScope();
  const [asked, setAsked] = useState<Asked>();
  const close = () => setAsked(undefined);
  return (
    <div className={styles.letter}>
      <div>
        <Anchor size="sm" fw={600} className="address" renderRoot={(props) => <Link to="/p/$projectId/notifications/$notificationId" params={{ projectId, notificationId: of.notification_id }} search={mode === "test" ? { mode } : {}} {...props} />}>
          {of.destination}
        </Anchor>
        <Text size="xs" c="dimmed" className="address">{of.reason}</Text>
      </div>
      <div>
        <Text size="sm" component="div">{channelName(of.channel)}, <Time at={of.created_at} /></Text>
        <Text size="xs" c="dimmed" component="div">{history(of)}</Text>
      </div>
      <Group gap={6} justify="flex-end">
        {of.status === "open" ? (
          <>
            <GuardedButton size="compact-sm" variant="subtle" color="red" allowed={may} aria-label={`Discard ${of.destination}`} onClick={() => setAsked("discard")}>Discard</GuardedButton>
            <GuardedButton size="compact-sm" variant="light" allowed={may} aria-label={`Redrive ${of.destination}`} onClick={() => setAsked("redrive")}>Redrive</GuardedButton>
          </>
        ) : of.status === "redriven" ? <StatusBadge status={of.delivery_status} /> : <Badge color="gray" variant="light" tt="none">discarded</Badge>}
      </Group>
      {asked === "redrive" && <RedriveLetter letter={of} onClose={close} />}
      {asked === "discard" && <DiscardOne letter={of} onClose={close} />}
    </div>
  );
}

function history(of: Letter) {
  if (of.discarded_at) return <>Discarded <Time at={of.discarded_at} />: {of.discard_reason}</>;
  if (of.redriven_at) return <>Redriven <Time at={of.redriven_at} />; its delivery is now {of.delivery_status}</>;
  return `${of.attempt_no} ${of.attempt_no === 1 ? "attempt" : "attempts"}${of.previous ? ", failed again after a redrive" : ""}`;
}
