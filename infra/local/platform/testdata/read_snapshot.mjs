// Reads a snapshot as any analyst would: as a Hive-partitioned Parquet data set. Prints its columns and
// types, and the rows in the order of the columns of the second argument, as one JSON object.
import { DuckDBInstance } from '@duckdb/node-api';

const glob = process.argv[2] + '/**/*.parquet';
const connection = await (await DuckDBInstance.create(':memory:')).connect();
const source = `read_parquet('${glob.replaceAll("'", "''")}', hive_partitioning = true)`;
const read = async (sql) => (await connection.runAndReadAll(sql)).getRowObjectsJson();

const columns = await read(`DESCRIBE SELECT * FROM ${source}`);
const rows = await read(`SELECT * FROM ${source} ORDER BY ${process.argv[3]}`);
console.log(JSON.stringify({
  columns: Object.fromEntries(columns.map((column) => [column.column_name, column.column_type])),
  rows,
}));
