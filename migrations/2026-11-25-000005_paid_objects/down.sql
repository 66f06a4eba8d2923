DROP TABLE paid_objects;
