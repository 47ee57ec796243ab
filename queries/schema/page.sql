-- Which rows are on the page? Payloads are read for these alone, in the time range that they span.
SET VARIABLE page = json_transform($page::VARCHAR, '{
  "ids": ["VARCHAR"], "first": "TIMESTAMPTZ", "last": "TIMESTAMPTZ"
}')
