/** An answer of the API that is not what was asked for: an RFC 9457 problem document, or no answer at all. */

export interface FieldProblem {
  path: string;
  code: string;
  message: string;
}

export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    title: string,
    readonly detail: string | undefined,
    readonly fields: FieldProblem[],
    readonly requestId: string | undefined,
    readonly retryAfter: number | undefined,
  ) {
    super(title);
    this.name = "ApiProblem";
  }

  /** What is wrong with one field of the body, by its JSON Pointer (`/to/email`). */
  field(path: string): string | undefined {
    return this.fields.find((each) => each.path === path)?.message;
  }
}

/** A form's fields by where the API says that they are wrong (`{ email: "/to/email" }`). */
type Pointers = Readonly<Record<string, string>>;

/** What the API says of a form's fields, for the form's own `setErrors`. */
export function fieldErrors(error: unknown, pointers: Pointers): Record<string, string> {
  if (!(error instanceof ApiProblem)) return {};
  return Object.fromEntries(Object.entries(pointers).flatMap(([field, path]) => {
    const message = error.field(path);
    return message ? [[field, message]] : [];
  }));
}

/** Whether all that is wrong stands at fields, so that nothing is left to say elsewhere. */
export function allAtFields(error: unknown, pointers: Pointers): boolean {
  const known = Object.values(pointers);
  return error instanceof ApiProblem && error.fields.length > 0 && error.fields.every((each) => known.includes(each.path));
}

export async function problemOf(answer: Response): Promise<ApiProblem> {
  const document = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  const text = (name: string) => (typeof document[name] === "string" ? document[name] : undefined);
  const retryAfter = Number(answer.headers.get("Retry-After")) || undefined;
  return new ApiProblem(
    answer.status,
    text("code") ?? "unknown",
    text("title") ?? `The server answered ${answer.status}`,
    text("detail"),
    Array.isArray(document.errors) ? (document.errors as FieldProblem[]) : [],
    text("request_id"),
    retryAfter,
  );
}

export const unreachable = (): ApiProblem =>
  new ApiProblem(0, "unreachable", "The server cannot be reached", "Check your connection; this page tries again.", [], undefined, undefined);
