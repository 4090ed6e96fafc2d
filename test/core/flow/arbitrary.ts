/** Random datagrams of today's form: whole, damaged, and noise. */
import fc from "fast-check"
import type { FlowMessage, QosSpec } from "../../../core/flow/index.ts"
import { FLOW_REPLY, FLOW_REQUEST } from "./vectors.ts"

const PLAIN = { noNullPrototype: true } as const
const word = fc.integer({ min: 0, max: 0xffffffff })
const eid = fc.integer({ min: 1, max: 0xffffffff })
const data = fc.uint8Array({ maxLength: 40 })

export const qosSpec: fc.Arbitrary<QosSpec> = fc.record(
  {
    delay: word,
    bandwidth: fc.bigInt({ min: 0n, max: 0xffffffffffffffffn }),
    availability: fc.nat({ max: 255 }),
    loss: word,
    ber: word,
    inOrder: fc.boolean(),
    maxGap: word,
    timeout: word,
  },
  PLAIN,
)

export const flowMessage: fc.Arbitrary<FlowMessage> = fc.oneof(
  fc.record(
    {
      kind: fc.constant("flow-request" as const),
      requester: eid,
      qos: qosSpec,
      hash: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      data,
    },
    PLAIN,
  ),
  fc.record(
    {
      kind: fc.constant("flow-reply" as const),
      requester: eid,
      responder: eid,
      response: fc.integer({ min: -0x80000000, max: 0x7fffffff }),
      data,
    },
    PLAIN,
  ),
  fc.record({ kind: fc.constant("flow-data" as const), eid, data }, PLAIN),
)

/** A golden datagram with some octets changed, its end cut off or octets behind it. */
const damaged = fc
  .tuple(
    fc.constantFrom(FLOW_REQUEST, FLOW_REPLY),
    fc.array(fc.tuple(fc.nat({ max: 62 }), fc.nat({ max: 255 })), { maxLength: 6 }),
    fc.nat({ max: 70 }),
  )
  .map(([golden, changes, length]) => {
    const bytes = new Uint8Array(length)
    bytes.set(golden.subarray(0, length))
    for (const [at, value] of changes) if (at < length) bytes[at] = value
    return bytes
  })

/** Any octets, those that come near a management message more often than chance would have it. */
export const octets: fc.Arbitrary<Uint8Array> = fc.oneof(damaged, fc.uint8Array({ maxLength: 120 }))
