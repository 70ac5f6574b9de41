module falconer.example/notes-go

go 1.22

require falconer.example/sdk/go v0.0.0

replace falconer.example/sdk/go => ../../sdk/go
