// A frontend's way through Tinko: register, report a failed payment, find its recovery, and pass on a link to pay.
// The types are generated from the API's document: a field that is not there does not compile.

import createClient, { type Middleware } from "openapi-fetch";
import { follow } from "./follow.js";
import type { components, paths } from "./tinko.js";

type Problem = components["schemas"]["Problem"];
type Recovery = components["schemas"]["Recovery"];

const baseUrl = process.env.TINKO_API;
if (!baseUrl) throw new Error("set TINKO_API to the address of a Tinko");
const tinko = createClient<paths>({ baseUrl });

/** The answer's data; a problem becomes an error that names the fault. */
function told<T>(answer: { data?: T; error?: Problem }): T {
  if (answer.data !== undefined) return answer.data;
  throw new Error(`${answer.error?.title}: ${answer.error?.detail}`);
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected ${what}`);
}

const email = `asha-${Date.now()}@shop.example`;
const password = "correct horse battery";
const registered = told(
  await tinko.POST("/v1/auth/register", { body: { email, password, org_name: `Shop ${Date.now()}` } }),
);
expect(registered.user.role === "admin", "the first person to be an administrator");

const session = told(await tinko.POST("/v1/auth/login", { body: { email, password } }));
const authorized: Middleware = {
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${session.access_token}`);
    return request;
  },
};
tinko.use(authorized);

const failure = {
  transaction_ref: `order-${Date.now()}`,
  amount: 129_950,
  currency: "INR",
  gateway: "stripe",
  failure_reason: "insufficient_funds",
  customer: { email: "payer@example.com" },
};
const header = { "Idempotency-Key": `${failure.transaction_ref}-failed` };
const reported = told(await tinko.POST("/v1/events/payment_failed", { params: { header }, body: failure }));
const again = told(await tinko.POST("/v1/events/payment_failed", { params: { header }, body: failure }));
expect(again.id === reported.id, "one effect of two requests with one key");

const page = told(await tinko.GET("/v1/recoveries", { params: { query: { limit: 10 } } }));
const own: Recovery | undefined = page.data.find((found) => found.transaction_ref === failure.transaction_ref);
expect(own?.id === reported.recovery_id && own?.amount === failure.amount, "the recovery of the report");

const link = told(
  await tinko.POST("/v1/recoveries/by_ref/{ref}/link", {
    params: { path: { ref: failure.transaction_ref } },
    body: { ttl_hours: 24 },
  }),
);
expect(link.recovery_id === own?.id, "a link of that recovery");

const refused = await tinko.POST("/v1/retry/policies", { body: { name: "", max_retries: 3 } });
expect(refused.response.status === 422, "a policy without a name to be refused");
expect(refused.error?.errors?.[0]?.field === "name", "the fault to name its field");

// The recovery as it moves. The connection is dropped after each event, as a network does: the stream goes on right after
// the last one that was seen, and nothing is missed or told twice.
const seen: string[] = [];
const recovery = reported.recovery_id;
if (!recovery) throw new Error("expected the report to open a recovery");
const follower = { baseUrl, token: session.access_token, recovery };
const waiting = follow(follower, undefined, AbortSignal.timeout(60_000));
const first = waiting.next();
told(await tinko.POST("/v1/recoveries/{id}/pause", { params: { path: { id: recovery } } }));
let last = (await first).value;
await waiting.return(undefined);
if (!last) throw new Error("expected the stream to tell of the pause");
seen.push(last.kind);
told(await tinko.POST("/v1/recoveries/{id}/resume", { params: { path: { id: recovery } } }));
told(await tinko.POST("/v1/recoveries/{id}/cancel", { params: { path: { id: recovery } } }));
while (last.kind !== "recovery.cancelled") {
  const again = follow(follower, last.id, AbortSignal.timeout(60_000));
  const next = (await again.next()).value;
  await again.return(undefined);
  if (!next) throw new Error(`expected the stream to go on after ${last.kind}`);
  expect(next.id !== last.id && next.data.recovery_id === own?.id, "another event of this recovery");
  seen.push(next.kind);
  last = next;
}
for (const kind of ["recovery.resumed", "recovery.cancelled"]) {
  expect(seen.filter((one) => one === kind).length === 1, `${kind} to be told once, of ${seen}`);
}

console.log(`${own?.id} waited to be paid at ${link.url}; the stream told of ${seen.join(", ")}`);
