DROP TRIGGER lengthen_added ON rollups;
DROP TRIGGER lengthen_changed ON rollups;
DROP TRIGGER lengthen_gone ON rollups;
DROP FUNCTION lengthen_rollups();
DROP TABLE rollups_longer;
