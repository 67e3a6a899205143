/** What somebody did, as a sentence that goes on after their name. */

export interface Entry {
  action: string;
  target: string;
  details: Record<string, unknown>;
}

type Sentence = (details: Record<string, unknown>, target: string) => string;

const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");
const list = (value: unknown): string => (Array.isArray(value) ? value.map(text).join(", ") : "");
const many = (count: unknown, one: string): string => `${text(count)} ${count === 1 ? one : `${one}s`}`;

const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const moment = (value: unknown): string => (Number.isNaN(Date.parse(text(value))) ? text(value) : clock.format(new Date(text(value))));

function changedProject({ name, retention_days: days }: Record<string, unknown>): string {
  const changes = [
    ...(name === undefined ? [] : [`renamed the project to ${text(name)}`]),
    ...(days === undefined ? [] : [`had content kept for ${many(days, "day")}`]),
  ];
  return changes.join(" and ") || "changed the project";
}

const SENTENCES: Partial<Record<string, Sentence>> = {
  "project.created": ({ name }) => `made the project ${text(name)}`,
  "project.changed": changedProject,
  "project.limited": () => "changed the project's limits",
  "project.archived": () => "archived the project",
  "member.role_changed": ({ from, to }, target) => `changed the role of ${target} from ${text(from)} to ${text(to)}`,
  "member.joined": ({ role }, target) => `made ${target} a member, as ${text(role)}`,
  "member.removed": ({ role }, target) => `removed ${target}, who was ${text(role)}`,
  "member.left": ({ role }) => `left the project, having been ${text(role)}`,
  "invitation.created": ({ role, for_one_address: one }) => `invited ${one === true ? "one address" : "whoever has the link"} as ${text(role)}`,
  "invitation.revoked": () => "closed an invitation",
  "invitation.accepted": ({ role }) => `joined by an invitation as ${text(role)}`,
  "token.created": ({ name, mode, scopes }) => `made the ${text(mode)} token ${text(name)} (${list(scopes)})`,
  "token.revoked": (_, target) => `revoked the token ${target}`,
  "integration.created": ({ name, channel }) => `added the ${text(channel)} integration ${text(name)}`,
  "integration.changed": ({ changed }, target) => `changed ${list(changed) || "something"} of the integration ${target}`,
  "integration.set": ({ channel, hint }) => `set the ${text(channel)} integration to the credential ${text(hint)}`,
  "integration.removed": ({ name, channel }) => `removed the ${text(channel)} integration ${text(name)}`,
  "recipient.erased": () => "erased the data of a recipient",
  "notification.moved": ({ send_at: at }, target) => `moved ${target} to ${moment(at)}`,
  "notification.cancelled": (_, target) => `cancelled ${target}`,
  "notification.sent_again": ({ sent_as: as }, target) => `sent ${target} again, as ${text(as)}`,
  "dead_letter.redriven": ({ edited }, target) => `redrove ${target}${edited === true ? ", corrected" : ""}`,
  "dead_letter.discarded": ({ reason }, target) => `put ${target} away: ${text(reason)}`,
  "dead_letters.redriven": ({ redriven }) => `redrove ${many(redriven, "dead letter")}`,
  "dead_letters.discarded": ({ discarded }) => `put away ${many(discarded, "dead letter")}`,
};

/** Every action there is, for the filter. */
export const ACTIONS = Object.keys(SENTENCES);

/** `names`: what the ids in it are called. */
export function sentence({ action, target, details }: Entry, names: ReadonlyMap<string, string> = new Map()): string {
  const called = names.get(target) ?? target;
  return SENTENCES[action]?.(details, called) ?? `did ${action} to ${called}`;
}
