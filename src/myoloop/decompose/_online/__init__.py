"""Block by block while the recording runs, and units followed while the muscle moves."""
