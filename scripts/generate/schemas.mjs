/**
 * schemas/NAME.json for each contract. They are open: a document may have unknown fields, because later versions
 * add fields.
 */
export function schemas({ z, CONTRACTS }) {
  return Object.fromEntries(
    Object.entries(CONTRACTS).map(([name, contract]) => {
      const schema = z.toJSONSchema(contract, { target: 'draft-2020-12', io: 'input' });
      return [`schemas/${name}.json`, `${JSON.stringify(schema, null, 2)}\n`];
    }),
  );
}
