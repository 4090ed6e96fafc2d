/** RFC 7220: DESCRIPTION. */
import type { Case } from "../../../adapters/conformance/case.ts"
import { group } from "./group.ts"
import { announce, announced, description, map, mapped, option, peer, peered } from "./packet.ts"

const text = description

const descriptions = [
  ...group({ requirements: ["D-01"], clause: "RFC 7220 3", needs: ["description"] }, [
    ...[
      { id: "short", content: "FTP server" },
      { id: "one", content: "a" },
      { id: "utf-8", content: "Überwachungskamera ✓ 你好" },
      { id: "128", content: "d".repeat(128) },
    ].map(({ id, content }) => ({
      id: `description-${id}`,
      title: `a description (${id}) is stored and comes back`,
      steps: [
        {
          send: map({ options: text(content) }),
          expect: mapped({ options: text(content) }),
          mappings: [{ description: content }],
        },
      ],
    })),
    {
      id: "description-peer",
      title: "a description with PEER is stored and comes back",
      needs: ["description", "peer"],
      steps: [{ send: peer({ options: text("to the archive") }), expect: peered({ options: text("to the archive") }) }],
    },
    {
      id: "description-cut",
      title: "a description of 300 octets: what is stored comes back, 128 octets at least",
      level: "SHOULD",
      steps: [
        {
          send: map({ options: option(128, "64".repeat(300)) }),
          expect: mapped({ options: `8000 {stored:2} ${"64".repeat(128)} ...` }),
          where: [{ name: "stored", atLeast: 128, atMost: 300 }],
        },
      ],
    },
    {
      id: "description-cut-character",
      title: "a description is not cut within a character",
      inProcess: "how much is stored is not known",
      level: "in effect",
      steps: [
        {
          send: map({ options: option(128, `61${"c3bc".repeat(70)}`) }),
          expect: mapped({ options: option(128, `61${"c3bc".repeat(63)}`) }),
        },
      ],
    },
    {
      id: "description-replaced",
      title: "a renewal with another description replaces it",
      steps: [
        { send: map({ options: text("first") }), expect: mapped({ options: text("first") }) },
        {
          send: map({ options: text("second") }),
          expect: mapped({ options: text("second") }),
          mappings: [{ description: "second" }],
        },
      ],
    },
    {
      id: "description-kept",
      title: "a renewal without a description leaves it",
      level: "in effect",
      steps: [
        { send: map({ options: text("first") }), expect: mapped({ options: text("first") }) },
        { send: map(), expect: mapped(), mappings: [{ description: "first" }] },
      ],
    },
    {
      id: "description-erased",
      title: "an empty description erases it, and comes back empty",
      steps: [
        { send: map({ options: text("first") }), expect: mapped({ options: text("first") }) },
        { send: map({ options: option(128) }), expect: mapped({ options: option(128) }) },
      ],
    },
    {
      id: "description-erased-nothing",
      title: "an empty description where there is none comes back empty",
      steps: [{ send: map({ options: option(128) }), expect: mapped({ options: option(128) }) }],
    },
  ]),
  ...group({ requirements: ["D-02"], clause: "RFC 7220 3", needs: ["map"] }, [
    {
      id: "description-not-asked",
      title: "no description in a response to a request without one",
      steps: [{ send: map(), expect: mapped({ options: "" }) }],
    },
    ...["ff616263", "616263c3", "c0af6162", "eda08061", "f5808080", "6162ff63"].map((octets) => ({
      id: `description-no-utf8-${octets}`,
      title: `${octets} is no UTF-8: the option is ignored, the rest of the request is not`,
      steps: [{ send: map({ options: option(128, octets) }), expect: mapped({ options: "" }) }],
    })),
    {
      id: "description-invalid-kept",
      title: "a description that is no UTF-8 leaves the one stored",
      needs: ["map", "description"],
      steps: [
        { send: map({ options: text("first") }), expect: mapped({ options: text("first") }) },
        { send: map({ options: option(128, "ff") }), expect: mapped(), mappings: [{ description: "first" }] },
      ],
    },
    {
      id: "description-announce",
      title: "DESCRIPTION with ANNOUNCE, an optional option without use there, is ignored",
      needs: ["announce"],
      level: "in effect",
      steps: [{ send: announce({ options: text("four") }), expect: announced({ options: "" }) }],
    },
  ]),
]
export const describing: readonly Case[] = [...descriptions]
