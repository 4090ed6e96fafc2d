/** RFC 7225: PREFIX64. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { announce, announced, filter, map, mapped, option, RESULT, refused } from "./packet.ts"

const askPrefix = option(129, `000c ${"00".repeat(12)}`)

/** With an IPv4 prefix count of 0: 16 octets, which need no padding. */
const askWithCount = option(129, `000c ${"00".repeat(12)} 0000`)
const WELL_KNOWN = "0064ff9b0000000000000000"

const told = (content: string): string => option(129, content)

const prefixes = [
  ...group(
    {
      requirements: ["X-01"],
      clause: "RFC 7225 4.2",
      configuration: { prefix64: [{ prefix: WELL_KNOWN }] },
      inProcess: "the server's prefix is not known",
      kinds: ["nat444"],
    },
    [
      {
        id: "prefix64-map",
        title: "MAP with PREFIX64: the prefix is in the response",
        steps: [{ send: map({ options: askPrefix }), expect: mapped({ options: told(`000c ${WELL_KNOWN}`) }) }],
      },
      {
        id: "prefix64-announce",
        title: "ANNOUNCE with PREFIX64: the prefix is in the response",
        steps: [{ send: announce({ options: askPrefix }), expect: announced({ options: told(`000c ${WELL_KNOWN}`) }) }],
      },
      {
        id: "prefix64-short",
        title: "a /64 prefix: 8 octets, and a null suffix of 4",
        configuration: { prefix64: [{ prefix: "20010db800000000" }] },
        steps: [
          {
            send: map({ options: askPrefix }),
            expect: mapped({ options: told("0008 20010db800000000 00000000") }),
          },
        ],
      },
      {
        id: "prefix64-several",
        title: "several prefixes: an option for each, in order",
        configuration: { prefix64: [{ prefix: WELL_KNOWN }, { prefix: "20010db8" }] },
        steps: [
          {
            send: map({ options: askPrefix }),
            expect: mapped({
              options: `${told(`000c ${WELL_KNOWN}`)} ${told("0004 20010db8 0000000000000000")}`,
            }),
          },
        ],
      },
      {
        id: "prefix64-list",
        title: "a prefix for some destinations has their list: 192.0.2.0/24",
        configuration: { prefix64: [{ prefix: WELL_KNOWN, ipv4: ["192.0.2.0/24"] }] },
        steps: [
          {
            send: map({ options: askPrefix }),
            expect: mapped({ options: told(`000c ${WELL_KNOWN} 0001 0018 c0000200`) }),
          },
        ],
      },
      {
        id: "prefix64-too-long",
        title: "a response that would be over 1100 octets, 42 filters and two prefixes: MALFORMED_REQUEST",
        requirements: ["X-01", "S-12"],
        clause: "RFC 6887 7.3",
        configuration: { prefix64: [{ prefix: WELL_KNOWN }, { prefix: "20010db8" }] },
        steps: [
          {
            send: map({ options: `${filter(128, 443).repeat(42)} ${askPrefix}` }),
            expect: refused("81", RESULT.MALFORMED_REQUEST),
            effects: [],
            mappings: [],
          },
        ],
      },
      {
        id: "prefix64-request-count",
        title: "a request may have an IPv4 prefix count of 0",
        clause: "RFC 7225 4.1",
        steps: [
          {
            send: map({ options: option(129, `000c ${"00".repeat(12)} 0000`) }),
            expect: mapped({ options: told(`000c ${WELL_KNOWN}`) }),
          },
        ],
      },
    ],
  ),
  ...group({ requirements: ["X-02"], clause: "RFC 7225 4.2", needs: ["map"], lacks: ["prefix64"] }, [
    {
      id: "prefix64-none-map",
      title: "without a prefix there is no PREFIX64 in a MAP response",
      steps: [{ send: map({ options: askWithCount }), expect: mapped({ options: "" }) }],
    },
    {
      id: "prefix64-none-announce",
      title: "without a prefix there is no PREFIX64 in an ANNOUNCE response",
      needs: ["announce"],
      steps: [{ send: announce({ options: askWithCount }), expect: announced({ options: "" }) }],
    },
  ]),
]
export const prefix64: readonly Case[] = [...prefixes]
