/** An integration's settings as a form holds them, and as the API takes them. */

import type { Channel, Integration } from "@/components/integration/queries";

export interface Values {
  name: string;
  kind: "bot" | "webhook";
  senderEmail: string;
  senderName: string;
  phoneNumberId: string;
  credential: string;
  default: boolean;
}

/** Where the API says that a field is wrong. */
export const POINTERS: Record<Exclude<keyof Values, "default">, string> = {
  name: "/name",
  kind: "/settings/kind",
  senderEmail: "/settings/sender/email",
  senderName: "/settings/sender/name",
  phoneNumberId: "/settings/phone_number_id",
  credential: "/credential",
};

interface Known {
  kind?: "bot" | "webhook";
  sender?: { email?: string; name?: string };
  phone_number_id?: string;
}

export function valuesOf(integration?: Integration): Values {
  const { kind = "bot", sender = {}, phone_number_id: phone = "" } = (integration?.settings ?? {}) as Known;
  return {
    name: integration?.name ?? "",
    kind,
    senderEmail: sender.email ?? "",
    senderName: sender.name ?? "",
    phoneNumberId: phone,
    credential: "",
    default: false,
  };
}

/** What the form does not show (limits) stays as it is. */
export function settingsOf(channel: Channel, values: Values, before: Record<string, unknown> = {}): Record<string, unknown> {
  if (channel === "slack") return { ...before, kind: values.kind };
  if (channel === "whatsapp") return { ...before, phone_number_id: values.phoneNumberId.trim() };
  const name = values.senderName.trim();
  return { ...before, sender: { email: values.senderEmail.trim(), ...(name && { name }) } };
}

/** What an integration is set to, in a line or two. */
export function toldSettings({ channel, settings }: Integration): [string, string][] {
  const { kind, sender, phone_number_id: phone } = settings as Known;
  if (channel === "slack") return [["Posts as", kind === "webhook" ? "incoming webhook" : "bot"]];
  if (channel === "whatsapp") return [["Phone number id", phone ?? ""]];
  return [["Sends from", sender?.name ? `${sender.name} <${sender.email ?? ""}>` : (sender?.email ?? "")]];
}

const LABELS: Record<string, string> = {
  team: "Workspace", user: "Bot", url: "Address", email: "Account", company: "Company", plan: "Plan",
  display_phone_number: "Number", verified_name: "Verified name", quality_rating: "Quality",
};

/** What the provider said of the credential when it was saved. */
export function toldCheck(checked: Record<string, unknown>): [string, string][] {
  return Object.entries(checked).flatMap(([name, value]): [string, string][] => {
    const label = LABELS[name];
    return label ? [[label, Array.isArray(value) ? value.join(", ") : String(value)]] : [];
  });
}
