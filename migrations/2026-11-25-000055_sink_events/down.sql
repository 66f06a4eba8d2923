DROP TABLE sink_events;
