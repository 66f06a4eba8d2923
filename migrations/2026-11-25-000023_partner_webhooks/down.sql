DELETE FROM partitioned_tables WHERE name IN ('partner_events', 'partner_deliveries', 'partner_tries');
DROP TABLE partner_tries;
DROP TABLE partner_deliveries;
DROP TABLE partner_events;
DROP TABLE webhook_endpoints;
