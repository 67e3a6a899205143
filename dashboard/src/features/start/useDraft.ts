import { useForm, type UseFormReturnType } from "@mantine/form";

import type { Channel, Integration } from "@/components/integration/queries";
import { type Draft, isFixed, RECIPIENTS } from "@/features/start/draft";
import { useSessionState } from "@/session/context";

export interface Values {
  /** Until somebody chooses, the channel that there is an integration for. */
  chosen: Channel | undefined;
  recipients: Record<Channel, string>;
  subject: string;
  text: string;
}

export type DraftForm = UseFormReturnType<Values>;

export function useDraft(integrations: Integration[]): { form: DraftForm; draft: Draft } {
  const state = useSessionState();
  const own = state.kind === "in" ? state.person.email : "";
  const draftOf = ({ chosen, recipients, subject, text }: Values): Draft => {
    const channel = chosen ?? integrations[0]?.channel ?? "email";
    return { channel, to: recipients[channel], subject, text };
  };
  const form = useForm<Values>({
    initialValues: { chosen: undefined, recipients: { slack: "", email: own, whatsapp: "" }, subject: "Hello from Nofy", text: "It works." },
    validate: (values) => {
      const { channel, to, text } = draftOf(values);
      const lost = !to.trim() && !isFixed(channel, integrations);
      return {
        ...(lost && { [`recipients.${channel}`]: `A recipient, like ${RECIPIENTS[channel].example}` }),
        ...(!text.trim() && { text: "What is it to say?" }),
      };
    },
  });
  return { form, draft: draftOf(form.values) };
}
