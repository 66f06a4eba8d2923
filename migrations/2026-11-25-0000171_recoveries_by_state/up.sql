-- Lists of recoveries in one state, newest or oldest first.
CREATE INDEX CONCURRENTLY recoveries_by_state ON recoveries (organization_id, state, id);
