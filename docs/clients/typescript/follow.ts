// Server-sent events from `GET /v1/stream`. A browser's own EventSource cannot send an Authorization header, so the stream
// is read with fetch (https://html.spec.whatwg.org/multipage/server-sent-events.html).

export type Moved = { id: string; kind: string; data: { recovery_id: string } };
export type Follower = { baseUrl: string; token: string; recovery?: string };

/** Events as they happen; those after `last` first, if it is given. Ends with the connection: come back with the last id. */
export async function* follow(who: Follower, last: string | undefined, signal: AbortSignal): AsyncGenerator<Moved> {
  const url = new URL("/v1/stream", who.baseUrl);
  if (who.recovery) url.searchParams.set("recovery_id", who.recovery);
  const headers: Record<string, string> = { Authorization: `Bearer ${who.token}`, Accept: "text/event-stream" };
  if (last) headers["Last-Event-ID"] = last;
  const answer = await fetch(url, { headers, signal });
  if (!answer.ok || !answer.body) throw new Error(`the stream answered ${answer.status}: ${await answer.text()}`);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      text += value;
      const pieces = text.split("\n\n");
      text = pieces.pop() ?? "";
      for (const piece of pieces) {
        const moved = read(piece);
        if (moved) yield moved;
      }
    }
  } finally {
    await reader.cancel();
  }
}

/** One event; none of a comment or a setting. */
function read(piece: string): Moved | undefined {
  const fields = new Map<string, string>();
  for (const line of piece.split("\n")) {
    const [name, ...rest] = line.split(":");
    if (name) fields.set(name, rest.join(":").trimStart());
  }
  const [id, kind, data] = ["id", "event", "data"].map((name) => fields.get(name));
  return id && kind && data ? { id, kind, data: JSON.parse(data) } : undefined;
}
