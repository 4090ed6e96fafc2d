/** What holds of every tree of fields, and its lines as text. */
import assert from "node:assert/strict"
import { type Dissection, type FieldNode, leaves, walk } from "../../../../core/wire/index.ts"

type Describe = (dissection: Dissection, node: FieldNode) => string

/** Leaves share out all octets, each once and in order; parents cover their children; each node has a text. */
export const holdsOf = (dissection: Dissection, describe: Describe): void => {
  const { bytes, root } = dissection
  assert.deepEqual([root.offset, root.length], [0, bytes.length])
  let at = 0
  for (const leaf of leaves(root)) {
    if (leaf.length === 0) continue
    assert.equal(leaf.offset, at)
    at += leaf.length
  }
  assert.equal(at, bytes.length)
  for (const node of walk(root)) {
    for (const child of node.children)
      assert.ok(child.offset >= node.offset && child.offset + child.length <= node.offset + node.length)
    assert.match(describe(dissection, node), /^\P{C}+$/u)
  }
}

/** A line for each node: name and text. */
export const textsOf = (dissection: Dissection, describe: Describe): readonly string[] =>
  [...walk(dissection.root)].map((node) => `${node.field.name}: ${describe(dissection, node)}`)
