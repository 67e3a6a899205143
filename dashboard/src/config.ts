/** What this installation is told about itself: `/config.json`, written by the web stack or by `make up`. */
export interface Config {
  /** The AppWrite server that people sign in at. */
  appwrite: { endpoint: string; project: string; oauth: string[] };
}

export async function loadConfig(): Promise<Config> {
  const answer = await fetch("/config.json", { cache: "no-store" });
  if (!answer.ok) throw new Error(`config.json: ${answer.status}`);
  return (await answer.json()) as Config;
}
