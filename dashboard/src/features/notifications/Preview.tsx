import "@mantine/core/styles/Code.css";

import { Anchor, Box, Code, Divider, Stack, Text } from "@mantine/core";
import { Fragment, type ReactNode } from "react";

import { inert, remotes } from "@/features/notifications/mail";
import styles from "@/features/notifications/preview.module.css";
import type { Delivery } from "@/features/notifications/queries";
import { text, within } from "@/features/notifications/words";

type Content = Record<string, unknown>;

/** What the channel shows its recipient: the stored content itself, an edit of a redrive included. */
export function Preview({ of }: { of: Delivery }) {
  if (Object.keys(of.content).length === 0) {
    return <Text size="sm" c="dimmed">The content was erased: its recipient asked for it, or the project keeps it no longer.</Text>;
  }
  if (of.channel === "email") return <Mail content={of.content} />;
  return of.channel === "slack" ? <Slack content={of.content} /> : <WhatsApp content={of.content} />;
}

function Mail({ content }: { content: Content }) {
  const html = text(content, "html") ?? "";
  const left = remotes(html);
  const reply = text(within(content, "reply_to"), "email");
  return (
    <Stack gap="xs">
      <Text fw={600} className="address">{text(content, "subject")}</Text>
      {reply && <Text size="xs" c="dimmed">Answers go to {reply}</Text>}
      <iframe className={styles.mail} title={`Email: ${text(content, "subject") ?? ""}`} sandbox="" referrerPolicy="no-referrer" loading="lazy" srcDoc={inert(html)} />
      {left > 0 && <Text size="xs" c="dimmed">{left === 1 ? "One remote picture or file is" : `${left} remote pictures or files are`} not loaded here.</Text>}
      <Files of={content.attachments} />
    </Stack>
  );
}

function Files({ of }: { of: unknown }) {
  if (!Array.isArray(of) || of.length === 0) return null;
  const names = (of as Content[]).map((each) => text(each, "name") ?? text(each, "url") ?? "file");
  return <Text size="xs" c="dimmed" className="address">Attached: {names.join(", ")}</Text>;
}

function Slack({ content }: { content: Content }) {
  const blocks = Array.isArray(content.blocks) ? (content.blocks as Content[]) : [];
  return (
    <Stack gap="xs" className={styles.slack}>
      {blocks.length ? blocks.map((each, index) => <Block key={index} of={each} />) : <Text size="sm">{mrkdwn(text(content, "text") ?? "")}</Text>}
      {text(content, "thread_ts") && <Text size="xs" c="dimmed">In the thread {text(content, "thread_ts")}</Text>}
    </Stack>
  );
}

function Block({ of }: { of: Content }) {
  const words = text(within(of, "text"), "text");
  const fields = Array.isArray(of.fields ?? of.elements) ? ((of.fields ?? of.elements) as Content[]) : [];
  switch (of.type) {
    case "header":
      return <Text fw={700} size="lg">{words}</Text>;
    case "divider":
      return <Divider />;
    case "section":
      return <><Text size="sm">{mrkdwn(words ?? "")}</Text>{fields.map((each, index) => <Text key={index} size="sm">{mrkdwn(text(each, "text") ?? "")}</Text>)}</>;
    case "context":
      return <Text size="xs" c="dimmed">{fields.map((each, index) => <Fragment key={index}>{mrkdwn(text(each, "text") ?? text(each, "alt_text") ?? "")} </Fragment>)}</Text>;
    default:
      return <Code block fz="xs">{JSON.stringify(of, null, 1)}</Code>;
  }
}

const MARKS = /(\*[^*\n]+\*|_[^_\n]+_|~[^~\n]+~|`[^`\n]+`|<[^>\n]+>)/;

/** Slack's own marks, as far as they change what a person reads. Links are shown, and lead nowhere. */
function mrkdwn(words: string): ReactNode {
  return words.split(MARKS).map((part, index) => {
    const inside = part.slice(1, -1);
    if (index % 2 === 0) return part; // (what split() puts between two marks)
    switch (part[0]) {
      case "*": return <strong key={index}>{inside}</strong>;
      case "_": return <em key={index}>{inside}</em>;
      case "~": return <s key={index}>{inside}</s>;
      case "`": return <Code key={index}>{inside}</Code>;
      default: return <Anchor key={index} component="span" inherit title={inside.split("|")[0]}>{inside.split("|").at(-1)}</Anchor>;
    }
  });
}

function WhatsApp({ content }: { content: Content }) {
  const template = within(content, "template");
  return (
    <Box className={styles.wall}>
      <div className={styles.bubble}>
        {template ? <Template of={template} /> : <Text size="sm" inherit>{text(content, "text")}</Text>}
      </div>
    </Box>
  );
}

function Template({ of }: { of: Content }) {
  const parts = Array.isArray(of.components) ? (of.components as Content[]) : [];
  const values = parts.flatMap((each) => (Array.isArray(each.parameters) ? (each.parameters as Content[]) : []));
  return (
    <Stack gap={4}>
      <Text size="sm" inherit>Template <strong>{text(of, "name")}</strong> in {text(within(of, "language"), "code")}</Text>
      {values.map((each, index) => <Text key={index} size="sm" inherit>{`{{${index + 1}}} = ${text(each, "text") ?? JSON.stringify(each)}`}</Text>)}
    </Stack>
  );
}
